"""Molecules by PySCF: energies, forces, charge and spin, what is refused, what survives a kill."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
from ase import units
from jobflow import Flow
from pymatgen.core import Lattice, Molecule, Structure

from barriers.contents import digest
from barriers.dispatch.local import run
from barriers.documents import RelaxDoc, StaticDoc
from barriers.engines.protocol import NotHereError, require_engine
from barriers.engines.pyscf import PyscfEngine, evaluator, method
from barriers.engines.pyscf.evaluator import MoleculeEvaluator
from barriers.fingerprint import check_one_engine
from barriers.structures.alone import charge_of, together, unpaired_electrons
from barriers.structures.digest import structure_digest
from barriers.structures.polymer.molecules import reaction_molecule
from barriers.structures.polymer.reactions import in_box

LIGHT = PyscfEngine("HF", "def2-svp", None)
"""Hartree-Fock: a fraction of a second for HF."""


def boxed(symbols: list[str], positions: list[list[float]], charge: int = 0, spin: int | None = None) -> Structure:
    return in_box(Molecule(symbols, positions, charge=charge, spin_multiplicity=spin), 12.0)


def hydrogen_fluoride(length: float = 0.95) -> Structure:
    return boxed(["H", "F"], [[0, 0, 0], [0, 0, length]])


def evaluated(structure: Structure, engine: PyscfEngine = LIGHT) -> StaticDoc:
    maker = engine.static()
    return maker.make.original(maker, structure)


def relaxed(structure: Structure, engine: PyscfEngine = LIGHT, max_steps: int = 50) -> RelaxDoc:
    return engine.relax(0.03, max_steps).relaxed(structure)


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_forces_are_the_slope_of_the_energy_dispersion_included() -> None:
    step = 0.005
    trio = boxed(["H", "F", "He"], [[0, 0, 0], [0, 0, 0.95], [0, 0, 3.4]])
    moved = [trio.copy().translate_sites([2], [0, 0, sign * step], frac_coords=False) for sign in (1, -1)]
    slopes, forces = [], []
    for engine in (LIGHT, PyscfEngine("HF", "def2-svp", "d3bj")):
        above, below = (evaluated(each, engine).energy for each in moved)
        slopes.append((below - above) / (2 * step))
        forces.append(np.array(evaluated(trio, engine).forces))
    assert forces[0][2, 2] == pytest.approx(slopes[0], abs=3e-3)
    assert forces[1][2, 2] - forces[0][2, 2] == pytest.approx(slopes[1] - slopes[0], abs=1e-4)
    assert abs(slopes[1] - slopes[0]) > 5e-4
    assert np.abs(forces[1].sum(axis=0)).max() < 3e-3


def test_a_molecule_is_the_same_wherever_its_box_is_cut() -> None:
    whole = hydrogen_fluoride()
    shifted = Structure(whole.lattice, whole.species, whole.frac_coords + np.array([0.31, 0.5, 0.2]))
    assert np.ptp(shifted.frac_coords[:, 2] % 1) < 0.5
    cut = Structure(whole.lattice, whole.species, (whole.frac_coords + np.array([0.31, 0.5, 0.5])) % 1)
    assert np.ptp(cut.frac_coords[:, 2]) > 0.5
    alone = evaluated(whole)
    for other in (shifted, cut):
        assert np.diff(together(other), axis=0) == pytest.approx(np.diff(whole.cart_coords, axis=0), abs=1e-9)
        document = evaluated(other)
        assert document.energy == pytest.approx(alone.energy, abs=1e-5)
        assert np.array(document.forces) == pytest.approx(np.array(alone.forces), abs=1e-3)


def test_a_relaxed_molecule_has_the_measured_length_and_stays_in_its_cell() -> None:
    start = hydrogen_fluoride(1.0)
    cut = Structure(start.lattice, start.species, (start.frac_coords + np.array([0, 0, 0.5])) % 1)
    document = relaxed(cut, PyscfEngine("PBE0", "def2-svp"))
    assert document.converged
    assert document.structure.get_distance(0, 1) == pytest.approx(0.917, abs=0.01)
    assert document.structure.frac_coords == pytest.approx(cut.frac_coords, abs=0.02)
    assert document.max_force <= 0.03
    assert document.reason is None


def test_charge_and_spin_are_those_of_the_structure() -> None:
    engine = PyscfEngine("PBE0", "def2-svpd", None)
    atom = evaluated(boxed(["Li"], [[0, 0, 0]]), engine).energy
    ion = evaluated(boxed(["Li"], [[0, 0, 0]], charge=1), engine).energy
    assert ion - atom == pytest.approx(5.39, abs=0.3)  # measured ionisation energy
    oxygen = [evaluated(boxed(["O"], [[0, 0, 0]], spin=spin), engine).energy for spin in (3, 1)]
    assert oxygen[0] < oxygen[1] - 1
    assert evaluated(boxed(["H"], [[0, 0, 0]]), engine).energy == pytest.approx(-units.Hartree / 2, abs=0.1)


def test_charge_and_spin_survive_a_relaxation_and_tell_structures_apart() -> None:
    ion = boxed(["O", "H"], [[0, 0, 0], [0, 0, 1.0]], charge=-1)
    document = relaxed(ion)
    assert document.converged
    assert charge_of(document.structure) == -1
    assert charge_of(copy.deepcopy(document).structure) == -1
    assert charge_of(RelaxDoc(**document.model_dump()).structure) == -1
    atoms = [boxed(["O"], [[0, 0, 0]], charge, spin) for charge, spin in ((0, None), (0, 3), (-2, None))]
    assert len({structure_digest(atom) for atom in atoms}) == 3
    assert unpaired_electrons(relaxed(atoms[1]).structure) == 2


@pytest.mark.parametrize(
    ("structure", "message"),
    [
        (Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.03), ["Li", "F"], [[0, 0, 0], [0.5, 0.5, 0.5]]), "first"),
        (Structure(Lattice.orthorhombic(12, 3, 12), ["H", "F"], [[0, 0, 0], [0, 0, 0.08]]), "3.0 Å apart.*second"),
        (Structure(Lattice.orthorhombic(12, 12, 3.5), ["H", "F"], [[0, 0, 0], [0, 0, 0.27]]), "2.6 Å apart.*third"),
    ],
)
def test_what_is_no_molecule_in_a_box_is_refused(structure: Structure, message: str) -> None:
    with pytest.raises(ValueError, match=f"periodic copies are .*{message}.*one molecule in a box with at least 4 Å"):
        relaxed(structure)


def test_an_impossible_spin_is_refused() -> None:
    odd = boxed(["O"], [[0, 0, 0]])
    odd.properties["spin_multiplicity"] = 2
    with pytest.raises(ValueError, match="spin multiplicity: 2 with 8 electrons; allowed: an odd number"):
        evaluated(odd)


def test_a_density_that_does_not_converge_gives_words_and_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluator, "MOST_CYCLES", 1)
    maker = LIGHT.relax(0.03, 10).make(hydrogen_fluoride())
    result = run(Flow([maker], output=maker.output), Path("results"))
    assert result.output is None
    assert "no self-consistent ground state in 2 cycles (charge +0, 0 unpaired electrons)" in str(result.failures)


def test_a_state_that_leaves_a_lower_orbital_empty_is_no_ground_state(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluator, "MOST_CYCLES", 20)
    torn = boxed(["H", "H", "F"], [[0, 0, -2.2], [0, 0, 0], [0, 0, 0.95]], charge=1)
    with pytest.raises(RuntimeError, match=r"no self-consistent ground state in 40 cycles \(charge \+1, 0 unpaired"):
        evaluated(torn, PyscfEngine("PBE", "sto-3g", None))


def test_second_order_steps_go_on_where_the_first_cycles_end(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = evaluated(hydrogen_fluoride())
    monkeypatch.setattr(evaluator, "MOST_CYCLES", 6)
    mended = evaluated(hydrogen_fluoride())
    assert mended.energy == pytest.approx(usual.energy, abs=1e-4)
    assert np.array(mended.forces) == pytest.approx(np.array(usual.forces), abs=1e-2)


def test_a_relaxation_that_was_killed_goes_on_from_its_last_point(monkeypatch: pytest.MonkeyPatch) -> None:
    start, original = hydrogen_fluoride(1.1), MoleculeEvaluator._evaluate
    undisturbed = relaxed(start)
    Path("again").mkdir()
    monkeypatch.chdir("again")

    def killed(self: MoleculeEvaluator, atoms: object) -> object:
        if self.force_calls == 2:
            raise KeyboardInterrupt
        return original(self, atoms)

    monkeypatch.setattr(MoleculeEvaluator, "_evaluate", killed)
    with pytest.raises(KeyboardInterrupt):
        relaxed(start)
    monkeypatch.setattr(MoleculeEvaluator, "_evaluate", original)
    document = relaxed(start)
    assert document.converged
    assert document.cost.earlier_force_calls == 2
    assert document.energy == pytest.approx(undisturbed.energy, abs=2e-3)


def test_too_few_steps_are_said_and_a_further_run_goes_on() -> None:
    start = hydrogen_fluoride(1.1)
    short = relaxed(start, max_steps=1)
    assert not short.converged
    assert "after 1 steps, 0.03 asked for" in short.reason
    assert relaxed(start).converged


@pytest.mark.parametrize(
    ("engine", "message"),
    [
        (PyscfEngine(functional="PBEE"), "functional: 'PBEE' is not known"),
        (PyscfEngine(basis="def2-svpp1"), "basis: 'def2-svpp1' has no H"),
        (PyscfEngine(dispersion="ts"), "dispersion: 'ts' is not known; allowed: d3bj, d4 or None"),
        (PyscfEngine(functional="SVWN"), "'d3bj' has no parameters for SVWN; allowed: None"),
    ],
)
def test_what_pyscf_lacks_is_said_before_anything_runs(engine: PyscfEngine, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        engine.check(["H"])


def test_bands_and_heavy_elements_are_refused() -> None:
    require_engine(PyscfEngine())
    for ask in (lambda: LIGHT.check(["Li"], 5), lambda: LIGHT.neb(0.05, 0.5, 10, 5.0)):
        with pytest.raises(ValueError, match="PySCF is for molecules alone and has no bands"):
            ask()
    with pytest.raises(ValueError, match="without core potentials, I needs one"):
        LIGHT.check(["H", "I"])


@pytest.mark.parametrize("missing", ["pyscf", "pyscf.dispersion"])
def test_a_missing_package_is_said_with_what_brings_it(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(method, "find_spec", lambda name: None if name == missing else name)
    with pytest.raises(NotHereError, match=r"is not installed; pip install 'li-barriers\[molecules\]'"):
        PyscfEngine().check()


def test_each_setting_makes_other_numbers_that_are_not_mixed() -> None:
    engines = [LIGHT, PyscfEngine("PBE", "def2-svp", None), PyscfEngine("PBE"), PyscfEngine("PBE", "def2-svp")]
    assert len({digest(engine.static().identity()) for engine in engines}) == 4
    documents = [engine.static().describe() for engine in engines]
    for other in documents[1:]:
        with pytest.raises(ValueError, match="are of different engines"):
            check_one_engine({"HF": documents[0], "LiF": other})


def test_a_molecule_on_file_is_whole_in_its_box() -> None:
    box = in_box(reaction_molecule("Li2CO3"), 12.0)
    assert together(box) == pytest.approx(box.cart_coords, abs=1e-9)
