"""Structures and results as files."""
