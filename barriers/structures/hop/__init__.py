"""Hops: Li⁺ jumps of a slab, found, chosen, and carried to every system."""
