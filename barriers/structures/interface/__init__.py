"""Interfaces: fragments placed above a slab or bonded to it."""
