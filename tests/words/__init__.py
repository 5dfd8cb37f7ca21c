"""The values that everything speaks in."""
