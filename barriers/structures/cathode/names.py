"""Other names of cathodes on file."""

ALIASES = {"NMC111": "NCM111", "NMC532": "NCM523", "NMC622": "NCM622", "NMC811": "NCM811"}
"""By the usual other order of the letters: of NMC, the numbers are Ni, Mn, Co."""
