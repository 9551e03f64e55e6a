"""Gong over HTTP. Nothing here knows of Singer, of files or of state, and nothing imports the rest of the package."""
