"""The bulk crystal: layered oxides LiMO2, their metals' ordering and their lithium."""
