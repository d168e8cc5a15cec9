"""Packs the tree and its dependencies into the one file, and what that file does when it starts."""
