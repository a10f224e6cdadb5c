"""Atoms in, atoms out: cathodes, slabs, fragments, interfaces, hops and paths, never an energy."""
