"""Phial: a private AI assistant for the editor."""

__version__ = "0.1.0"
