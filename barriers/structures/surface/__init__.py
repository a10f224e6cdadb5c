"""Slabs: terminations of a facet, cutting, reconstruction, edits."""
