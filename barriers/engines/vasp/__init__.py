"""VASP: single structures and bands, under custodian, on the input sets and makers of pymatgen and atomate2.

Reading its files needs nothing beyond the package's own dependencies; running it needs the extra ``vasp``.
"""
