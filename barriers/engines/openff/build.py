"""A box of a matrix, from what it is made of: chains drawn and coiled, parameters, packing, system."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from rdkit import Chem

from barriers.engines.openff.force_field import CHARGES, FORCE_FIELD, parameterise
from barriers.engines.openff.needs import check_here, made_by
from barriers.engines.openff.packing import packed
from barriers.engines.openff.system import pdb_text, system_of, system_xml
from barriers.structures.matrix.box import Box, MatrixBox, MoleculeDoc, Role
from barriers.structures.matrix.coil import coil, embedded, octahedron
from barriers.structures.matrix.composition import PER_CUBE, Matrix, draw_chains, find_salt, tacticity_of
from barriers.structures.matrix.parameters import CUTOFF, Parameters, to_json


def build_box(matrix: Matrix, seed: int, number: int = 1) -> Box:
    """Build a box.

    Parameters
    ----------
    matrix : Matrix
        What it is made of.
    seed : int
        Seed of chains, coils and packing.
    number : int
        Which of several boxes of the matrix: each has chains of its own.

    Raises
    ------
    ValueError
        One line, if it cannot be built; :class:`~barriers.engines.protocol.NotHereError` if a package is missing.
    """
    check_here()
    salt = find_salt(matrix.salt)
    seeds = np.random.default_rng([seed, number]).integers(2**31 - 1, size=matrix.chains + 2)
    kinds: dict[str, Parameters] = {}
    solids: list[tuple[MoleculeDoc, Chem.Mol, int]] = []
    for chain, own in zip(draw_chains(matrix, int(seeds[0])), seeds[2:], strict=True):
        solid = coil(chain.drawn, int(own))
        if chain.kind not in kinds:
            kinds[chain.kind] = parameterise(solid)
        document = MoleculeDoc(
            kind=chain.kind,
            role="chain",
            first=0,
            atoms=solid.GetNumAtoms(),
            backbone=chain.backbone,
            eliminated=list(chain.eliminated),
        )
        solids.append((document, solid, 1))
    for role in ("cation", "anion"):
        name, solid, parameters = _ion(salt, role, matrix.charge_scale)
        kinds[name] = parameters
        document = MoleculeDoc(kind=name, role=role, first=0, atoms=solid.GetNumAtoms())
        solids.append((document, solid, matrix.pairs))
    return _packed_box(matrix, seed, number, int(seeds[1]), kinds, [each for each in solids if each[2]])


def _ion(salt: Mapping[str, Any], role: Role, scale: float) -> tuple[str, Chem.Mol, Parameters]:
    """Build an ion of a salt: name of its kind, in space, parameters."""
    drawn = Chem.MolFromSmiles(salt[role])
    solid = octahedron(drawn) if role == "anion" and "right_angles" in salt else embedded(drawn, 0)
    if role == "cation":
        return drawn.GetAtomWithIdx(0).GetSymbol(), solid, parameterise(solid, scale)
    return "anion", solid, parameterise(solid, scale, salt.get("charges"), salt.get("right_angles"))


def _packed_box(
    matrix: Matrix,
    seed: int,
    number: int,
    packing_seed: int,
    kinds: Mapping[str, Parameters],
    solids: list[tuple[MoleculeDoc, Chem.Mol, int]],
) -> Box:
    mass = sum(copies * sum(kinds[document.kind].masses) for document, _, copies in solids)
    edge = round((mass * PER_CUBE / matrix.density) ** (1 / 3), 4)
    if edge < 2 * CUTOFF:
        raise ValueError(
            f"matrix: {matrix.name} makes a box of {edge:.1f} Å, less than two cutoffs; allowed: more chains or units"
        )
    positions = packed(
        [(kinds[document.kind].species, solid.GetConformer().GetPositions(), n) for document, solid, n in solids],
        edge,
        packing_seed,
    )
    molecules = []
    first = 0
    for document, _, copies in solids:
        for _ in range(copies):
            moved = {"first": first, "backbone": [first + atom for atom in document.backbone]}
            molecules.append(document.model_copy(update=moved))
            first += document.atoms
    made = MatrixBox(
        system=matrix.name,
        number=number,
        seed=seed,
        polymer=matrix.polymer,
        units=matrix.units,
        chains=matrix.chains,
        eliminate=matrix.eliminate,
        fraction=matrix.fraction if matrix.eliminate else 0.0,
        tacticity=tacticity_of(matrix),
        salt=matrix.salt,
        pairs=matrix.pairs,
        charge_scale=matrix.charge_scale,
        force_field=FORCE_FIELD,
        charges=CHARGES,
        versions=made_by(),
        edge=edge,
        density=matrix.density,
        species=[symbol for each in molecules for symbol in kinds[each.kind].species],
        molecules=molecules,
    )
    xml = system_xml(system_of(molecules, kinds, edge))
    return Box(made, pdb_text(molecules, kinds, positions, edge), xml, to_json(kinds))
