"""What is done in one commit: many things together, and none of them before it."""
