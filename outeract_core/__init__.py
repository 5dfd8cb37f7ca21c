"""outeract_core: one API, one file and one graph for every messaging platform."""

__version__ = "0.1.0"
