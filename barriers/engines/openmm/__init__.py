"""Molecular dynamics of a box by OpenMM: brought to its density, then run at fixed volume in segments.

OpenMM is loaded by the functions that run, not by this package.
"""
