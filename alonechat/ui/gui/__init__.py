"""The desktop face."""
