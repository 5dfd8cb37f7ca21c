"""Threads: how much one takes of what others bring, how long they wait for each other."""
