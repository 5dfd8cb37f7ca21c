"""Benchmarks: how near the library comes to the floor, in the same run on the same machine."""
