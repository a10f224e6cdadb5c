"""Makers that join the rooms, and their jobs: study, slab and hops, system, barrier, result."""
