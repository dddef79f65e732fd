"""Programs for those who work on the code: checks of the tree and of the lock. Nothing here ships or is imported by the app."""
