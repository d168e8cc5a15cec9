"""AloneChat: a whole team chat in one file."""

__version__ = "2.0.0"
