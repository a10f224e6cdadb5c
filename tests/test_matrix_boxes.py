"""Boxes of matrices with their force field: composition, charges, shapes, packing, files, and energies in LAMMPS."""

from __future__ import annotations

import os
import subprocess
from collections import Counter
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from external import CODES, need
from rdkit import Chem

from barriers.engines.openff import needs
from barriers.engines.protocol import NotHereError
from barriers.files.boxes import read_box, write_box
from barriers.files.gromacs import top_text, write_gromacs
from barriers.files.lammps import COULOMB, write_lammps
from barriers.structures.matrix.box import Box
from barriers.structures.matrix.composition import Matrix, salts
from barriers.structures.matrix.parameters import Parameters

pytestmark = pytest.mark.md

TINY = Matrix("tiny", "PVDF", units=4, chains=6, salt="LiFSI", pairs=4, eliminate="HF", fraction=0.5, density=0.5)


@pytest.fixture(autouse=True, scope="module")
def _here() -> None:
    need(find_spec("openff") is not None, "the extra 'md'")


def built(seed: int = 1) -> Box:
    from barriers.engines.openff.build import build_box

    return build_box(TINY, seed)


@pytest.fixture(scope="module")
def box() -> Box:
    return built()


def system_of(box: Box) -> Any:
    import openmm

    return openmm.XmlSerializer.deserialize(box.system)


def force_of(system: Any, name: str) -> Any:
    return next(force for force in system.getForces() if force.getName() == name)


def anion(salt: str, scale: float = 0.75) -> tuple[Chem.Mol, Parameters]:
    from barriers.engines.openff.build import _ion

    _, solid, kind = _ion(salts()[salt], "anion", scale)
    return solid, kind


def relaxed(solid: Chem.Mol, kind: Parameters) -> np.ndarray:
    """Positions (Å) of a molecule alone, of lowest energy nearby."""
    import openmm

    from barriers.engines.openff.system import system_of as put_together
    from barriers.structures.matrix.box import MoleculeDoc

    molecule = MoleculeDoc(kind="it", role="anion", first=0, atoms=solid.GetNumAtoms())
    system = put_together([molecule], {"it": kind}, 100.0)
    force_of(system, "NonbondedForce").setNonbondedMethod(openmm.NonbondedForce.NoCutoff)
    context = openmm.Context(system, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatformByName("Reference"))
    context.setPositions(solid.GetConformer().GetPositions() / 10)
    openmm.LocalEnergyMinimizer.minimize(context, 0.01)
    return context.getState(getPositions=True).getPositions(asNumpy=True)._value * 10


def test_composition_and_order(box: Box) -> None:
    document = box.document
    # H(CH2CF2)4H less two HF has 22 atoms.
    assert Counter(document.species) == Counter(C=6 * 8, H=6 * 8, F=6 * 6 + 4 * 2, Li=4, S=8, N=4, O=16)
    assert [len(atoms) for atoms in document.atoms_of("chain")] == [22] * 6
    assert {document.species[atom] for atom in document.ions} == {"Li"}
    assert {document.species[atom] for line in document.backbones for atom in line} == {"C"}
    assert [len(line) for line in document.backbones] == [8] * 6
    assert all(len(each.eliminated) == 2 for each in document.molecules if each.role == "chain")
    assert all(len(atoms) == 9 for atoms in document.atoms_of("anion"))
    listed = [atom for each in document.molecules for atom in range(each.first, each.first + each.atoms)]
    assert listed == list(range(len(document.species)))


def test_molecules_of_one_kind_have_parameters_once(box: Box) -> None:
    used = {each.kind for each in box.document.molecules}
    assert set(box.kinds) == used and len(used) < len(box.document.molecules)


def test_box_is_as_dense_as_asked(box: Box) -> None:
    system = system_of(box)
    masses = [system.getParticleMass(i)._value for i in range(len(box.document.species))]
    assert sum(masses) * 1.66053907 / box.document.edge**3 == pytest.approx(TINY.density, rel=1e-4)


def test_box_is_neutral_and_only_the_salt_is_scaled(box: Box) -> None:
    system = system_of(box)  # its forces end with it
    nonbonded = force_of(system, "NonbondedForce")
    charges = np.array([nonbonded.getParticleParameters(i)[0]._value for i in range(nonbonded.getNumParticles())])
    assert abs(charges.sum()) < 1e-5
    assert charges[box.document.ions] == pytest.approx(0.75)
    for role, total in (("anion", -0.75), ("chain", 0.0)):
        assert [charges[atoms].sum() for atoms in box.document.atoms_of(role)] == pytest.approx(
            [total] * len(box.document.atoms_of(role)), abs=1e-5
        )


def test_terms_within_an_anion_have_its_full_charges(box: Box) -> None:
    system = system_of(box)  # its forces end with it
    nonbonded = force_of(system, "NonbondedForce")
    rows = [nonbonded.getExceptionParameters(i) for i in range(nonbonded.getNumExceptions())]
    kind = box.kinds["anion"]
    first = box.document.atoms_of("anion")[0][0]
    products = {(i, j): product._value for i, j, product, *_ in rows if first <= min(i, j) and max(i, j) < first + 9}
    within = [value for value in products.values() if value]
    assert len(within) == 6 + 9  # S and what the other S carries; both of what they carry
    for (i, j), value in products.items():
        if value:
            near = "S" in (kind.species[i - first], kind.species[j - first])
            full = kind.charges[i - first] * kind.charges[j - first]
            assert value == pytest.approx(full / 1.2 if near else full, rel=1e-5)


def test_full_terms_keep_the_bonds_of_fsi() -> None:
    solid, kind = anion("LiFSI")
    bond = solid.GetSubstructMatches(Chem.MolFromSmarts("N-S"))
    positions, free = relaxed(solid, kind), relaxed(solid, replace(kind, scale=1.0))
    wrong = replace(kind, pairs=tuple((i, j, q * 0.75**2, s, e) for i, j, q, s, e in kind.pairs))
    stretched = relaxed(solid, wrong)
    lengths, unscaled, spoiled = (
        [np.linalg.norm(each[i] - each[j]) for i, j in bond] for each in (positions, free, stretched)
    )
    assert lengths == pytest.approx(unscaled, abs=0.01)
    assert all(1.50 < length < 1.63 for length in lengths), lengths
    assert min(spoiled) > max(lengths) + 0.02, (spoiled, lengths)


def test_pf6_is_an_octahedron() -> None:
    solid, kind = anion("LiPF6")
    assert sum(kind.charges) == pytest.approx(-1) and len(set(kind.charges)) == 2
    positions = relaxed(solid, kind)
    centre = kind.species.index("P")
    arms = np.delete(positions, centre, axis=0) - positions[centre]
    lengths = np.linalg.norm(arms, axis=1)
    cosines = (arms @ arms.T / np.outer(lengths, lengths))[np.triu_indices(6, 1)]
    assert lengths == pytest.approx(1.6, abs=0.07)
    assert np.sort(cosines) == pytest.approx([-1] * 3 + [0] * 12, abs=0.02)


def test_molecules_are_whole_and_do_not_overlap(box: Box) -> None:
    positions, edge = box.positions, box.document.edge
    number = np.repeat(range(len(box.document.molecules)), [each.atoms for each in box.document.molecules])
    steps = positions[:, None] - positions[None]
    nearest = np.linalg.norm(steps - edge * np.round(steps / edge), axis=2)
    assert nearest[number[:, None] != number[None]].min() > 1.9
    for each in box.document.molecules:
        for i, j, *_ in box.kinds[each.kind].bonds:
            assert np.linalg.norm(positions[each.first + i] - positions[each.first + j]) < 2.0


def test_a_seed_builds_the_same_box_and_another_seed_another(box: Box) -> None:
    again = built()
    assert (again.pdb, again.system, again.document) == (box.pdb, box.system, box.document)
    assert built(2).pdb != box.pdb


def test_a_box_too_small_for_the_cutoff_is_refused() -> None:
    from barriers.engines.openff.build import build_box

    with pytest.raises(ValueError, match=r"makes a box of \d+\.\d Å, less than two cutoffs; allowed: more chains"):
        build_box(replace(TINY, chains=1), 0)


@pytest.mark.parametrize("end", ["echo ENDED WITHOUT PERFECT PACKING", "echo Success!; exit 3"])
def test_a_packing_that_fails_is_told(end: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from barriers.engines.openff import packing

    program = tmp_path / "packmol"
    program.write_text(f"#!/bin/sh\n{end}\n")
    program.chmod(0o755)
    monkeypatch.setattr(packing, "packmol", lambda: program)
    fluorine = [(("F", "F"), np.array([[0.0, 0, 0], [0, 0, 1.4]]), 60)]
    with pytest.raises(ValueError, match=r"density: packmol \(code \d\) packs no such box; allowed: a lower one"):
        packing.packed(fluorine, 6.0, 0)


def test_another_interchange_or_none_is_named_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    right = needs.version
    monkeypatch.setattr(needs, "version", lambda name: "0.5.3" if "interchange" in name else right(name))
    with pytest.raises(NotHereError, match=r"acellera-openff-interchange 0\.5\.3 .*; pip install 'li-barriers\[md\]'"):
        needs.check_here()


@pytest.mark.parametrize("module", ["pytorch_lightning", "openff.nagl", "packmol"])
def test_what_is_missing_is_named(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(needs, "find_spec", lambda name: None if name == module else object())
    with pytest.raises(
        NotHereError, match=rf"matrix: the package {needs.PACKAGES[module]} is not installed; pip install"
    ):
        needs.check_here()


def test_a_box_is_read_as_it_was_written(box: Box, tmp_path: Path) -> None:
    write_box(box, tmp_path / "box")
    assert read_box(tmp_path / "box") == box
    (tmp_path / "box" / "system.xml").unlink()
    with pytest.raises(ValueError, match=r"system\.xml: No such file"):
        read_box(tmp_path / "box")


def test_gromacs_has_every_molecule_and_term(box: Box, tmp_path: Path) -> None:
    files = write_gromacs(box, tmp_path, 500.0)
    assert {file.name for file in files} >= {"box.gro", "box.top", "run.sh", "1-minimise.mdp", "4-nvt.mdp"}
    lines = top_text(box).splitlines()
    molecules = lines[lines.index("[ molecules ]") + 1 :]
    assert sum(int(line.split()[1]) for line in molecules) == len(box.document.molecules)
    assert sum(line == "[ moleculetype ]" for line in lines) == len(box.kinds)
    coordinates = (tmp_path / "box.gro").read_text().splitlines()
    assert int(coordinates[1]) == len(box.document.species) == len(coordinates) - 3
    nvt = (tmp_path / "4-nvt.mdp").read_text()
    assert "ref-t = 500\n" in nvt and "pcoupl" not in nvt and "pcoupl" in (tmp_path / "3-npt.mdp").read_text()


@pytest.mark.codes
def test_lammps_has_the_energies_of_openmm(box: Box, tmp_path: Path) -> None:
    """Each term (kcal/mol), with the switch off that LAMMPS does not have."""
    import openmm

    need((CODES / "bin" / "lmp").exists(), "LAMMPS: .ci/codes installs it and prints what CODES is")
    write_lammps(box, tmp_path, 600.0)
    (tmp_path / "energy.in").write_text(
        "include box.settings\nkspace_style pppm 1e-7\ninclude box.pairs\nthermo_modify format float %.8f\n"
        "thermo_style custom step ebond eangle edihed evdwl ecoul elong\nrun 0\n"
    )
    command = [CODES / "bin" / "lmp", "-in", "energy.in"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, env=environment)
    lines = done.stdout.splitlines()
    at = next(number for number, line in enumerate(lines) if line.split()[:1] == ["Step"])
    bond, angle, dihedral, *others = map(float, lines[at + 1].split()[1:])
    system = system_of(box)
    for number, force in enumerate(system.getForces()):
        force.setForceGroup(number)
    nonbonded = force_of(system, "NonbondedForce")
    nonbonded.setEwaldErrorTolerance(1e-6)
    nonbonded.setUseSwitchingFunction(False)
    reference = openmm.Platform.getPlatformByName("Reference")
    context = openmm.Context(system, openmm.VerletIntegrator(0.001), reference)
    context.setPositions(box.positions / 10)
    energy = {
        force.getName(): context.getState(getEnergy=True, groups={number}).getPotentialEnergy()._value / 4.184
        for number, force in enumerate(system.getForces())
    }
    constrained = tabulated = 0.0
    for each in box.document.molecules:
        kind, places = box.kinds[each.kind], box.positions[each.first : each.first + each.atoms]
        for i, j, length, k in kind.bonds:
            if "H" in (kind.species[i], kind.species[j]):
                constrained += k / 2 * (np.linalg.norm(places[i] - places[j]) / 10 - length) ** 2 / 4.184
        for i, j, product, *_ in kind.pairs if kind.scale != 1 else ():
            tabulated += COULOMB * product * (1 - kind.scale**2) / np.linalg.norm(places[i] - places[j])
    assert abs(tabulated) > 100
    assert bond - tabulated == pytest.approx(energy["HarmonicBondForce"] + constrained, abs=1e-3)
    assert angle == pytest.approx(energy["HarmonicAngleForce"], abs=1e-3)
    assert dihedral == pytest.approx(energy["PeriodicTorsionForce"], abs=1e-3)
    assert sum(others) + tabulated == pytest.approx(energy["NonbondedForce"], abs=0.05)
