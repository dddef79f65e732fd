"""Configuration: settings, logging, the composition root, and which event causes what. The meeting point of all rooms."""
