"""Use cases on signals: taking them in once, and handing them to a copier in the right order."""
