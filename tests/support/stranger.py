"""A module that only a worker process loads. Knows: nothing. Does not know: who raises its error."""


class Strange(Exception):
    """An error of its own."""
