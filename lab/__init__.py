"""natlab: networks that can be tested like code."""

__version__ = "0.1.0"
