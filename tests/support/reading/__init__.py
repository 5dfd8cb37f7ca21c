"""Worlds to read from, and what plain Python remembers of them."""
