"""Studies whose calculations are run by hand: their input files without a run, and results taken in."""
