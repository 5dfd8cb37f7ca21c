"""A store opened from its parts, and ways to make it fail."""
