"""Text as a tree, and its pieces."""
