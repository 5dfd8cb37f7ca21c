"""What keeps a file in order over years."""
