"""What the file holds, and what it refuses."""
