"""What can be asked of a file."""
