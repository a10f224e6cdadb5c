"""OpenFF, packmol and OpenMM: boxes of a matrix built, with a force field, from what they are made of."""
