"""Tests of the house: layers, sizes, names, pictures."""
