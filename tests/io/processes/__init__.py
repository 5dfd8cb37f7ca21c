"""Processes: who they are, what they work for, how what runs in them ends."""
