"""Polymer matrices: chains, salt, and the boxes that they are packed in."""
