"""Handlers and the order in which they get events."""
