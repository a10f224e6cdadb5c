"""What a trajectory says of transport: displacements, diffusion where there is any, shells, pairs, mechanism."""
