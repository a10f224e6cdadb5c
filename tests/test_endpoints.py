"""Endpoint pairs: any order and any periodic image is understood, anything else is refused in one line."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk as crystal
from ase.constraints import FixAtoms, FixBondLength
from conftest import Outcome, ordered_slab
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.io.ase import AseAtomsAdaptor

from barriers.files.structures import read_endpoints
from barriers.structures.hop.choice import select_hops
from barriers.structures.hop.hop import final_in_initial_order, make_endpoint, moving_index
from barriers.structures.hop.search import find_hops
from barriers.structures.path.endpoints import EndpointError, check_endpoints, frozen_atoms, match_order

seeds = st.integers(0, 10_000)


@cache
def _slab_hop() -> tuple[Atoms, Atoms, int]:
    slab = ordered_slab()
    hop = select_hops(find_hops(slab), layer="sub-surface", kind="vacancy")[0]
    final = final_in_initial_order(make_endpoint(slab, hop.final), hop)
    pair = [AseAtomsAdaptor.get_atoms(s) for s in (make_endpoint(slab, hop.initial), final)]
    rng = np.random.default_rng(1)
    for atoms in pair:
        atoms.rattle(0.03, rng=rng)  # constraints hold the frozen atoms
    return pair[0], pair[1], moving_index(hop, len(pair[0]))


def slab_hop() -> tuple[Atoms, Atoms, int]:
    """Give a sub-surface hop in a rattled 95-atom NCM811 (104) slab, and the index of the moving Li."""
    initial, final, moving = _slab_hop()
    return initial.copy(), final.copy(), moving


def lithium(n: int = 4) -> Atoms:
    """A simple cubic crystal of Li, 3 Å between neighbours, with one vacancy at the far corner."""
    atoms = crystal("Li", "sc", a=3.0).repeat(n)
    del atoms[-1]
    return atoms


def moves(initial: Atoms, final: Atoms) -> np.ndarray:
    return match_order(initial, final)[0].positions - initial.positions


@settings(max_examples=15, deadline=None)
@given(seeds)
def test_translation_by_lattice_vectors_changes_nothing(seed: int) -> None:
    initial, final, _ = slab_hop()
    shifted = final.copy()
    shifts = np.random.default_rng(seed).integers(-2, 3, (len(final), 3))
    shifted.set_positions(final.positions + shifts @ final.cell, apply_constraint=False)
    assert moves(initial, shifted) == pytest.approx(final.positions - initial.positions, abs=1e-9)


@settings(max_examples=15, deadline=None)
@given(seeds)
def test_any_order_of_the_final_structure_gives_the_same_displacements(seed: int) -> None:
    initial, final, moving = slab_hop()
    shuffled = final[np.random.default_rng(seed).permutation(len(final))]
    matched, warnings = match_order(initial, shuffled)
    assert matched.positions == pytest.approx(final.positions, abs=1e-9)
    assert np.linalg.norm(matched.positions - initial.positions, axis=1).argmax() == moving
    assert frozen_atoms(matched) == frozen_atoms(initial)
    assert "reordered" in warnings[0]


@settings(max_examples=15, deadline=None)
@given(seeds)
def test_the_same_shuffle_of_both_shuffles_the_displacements(seed: int) -> None:
    initial, final, _ = slab_hop()
    order = np.random.default_rng(seed).permutation(len(final))
    matched, warnings = match_order(initial[order], final[order])
    assert matched.positions == pytest.approx(final.positions[order], abs=1e-9)
    assert warnings == []


def test_frozen_atoms_end_exactly_where_they_began() -> None:
    initial, final, _ = slab_hop()
    frozen = frozen_atoms(initial)
    final.set_positions(final.positions + 4e-4, apply_constraint=False)
    matched, _ = match_order(initial, final)
    assert (matched.positions[frozen] == initial.positions[frozen]).all()


@pytest.mark.parametrize("without", ["initial", "final"])
def test_frozen_atoms_named_in_one_file_hold_in_both(without: str) -> None:
    initial, final, _ = slab_hop()
    frozen = frozen_atoms(initial)
    (initial if without == "initial" else final).set_constraint()
    matched, warnings = match_order(initial, final)
    assert frozen_atoms(matched) == frozen
    assert len(warnings) == 1 and "frozen" in warnings[0]


def test_an_interstitialcy_is_kept() -> None:
    initial = lithium()
    final = initial.copy()
    vacancy, first, second = np.array([9.0, 9, 9]), 62, 61  # a row of three sites along c, the last one empty
    assert initial.positions[first] == pytest.approx([9, 9, 6])
    final.positions[first], final.positions[second] = vacancy, initial.positions[first]
    matched, warnings = match_order(initial, final)
    assert matched.positions == pytest.approx(final.positions)
    assert warnings == []


def test_a_bent_interstitialcy_is_kept_though_one_longer_jump_has_the_smaller_sum_of_squares() -> None:
    initial = crystal("Al", "fcc", a=4.05, cubic=True).repeat(3)
    site = initial.positions.copy()
    vacancy, first = 0, 1
    second = next(
        atom
        for atom in range(2, len(initial))
        if np.allclose(initial.get_distances(atom, [vacancy, first], mic=True), 4.05 / 2**0.5)
    )
    del initial[vacancy]
    final = initial.copy()
    final.positions[first - 1], final.positions[second - 1] = site[vacancy], site[first]
    matched, warnings = match_order(initial, final)
    assert (np.linalg.norm(matched.positions - initial.positions, axis=1) > 2).sum() == 2
    assert warnings == []


def test_a_swapped_pair_is_undone() -> None:
    initial, final, _ = slab_hop()
    oxygens = np.flatnonzero((final.symbols == "O") & ~np.isin(range(len(final)), frozen_atoms(final)))
    one = oxygens[-1]
    other = oxygens[final.get_distances(one, oxygens[:-1], mic=True).argmin()]  # neighbours, 2.8 Å apart
    swapped = final.copy()
    swapped.positions[[one, other]] = final.positions[[other, one]]
    matched, warnings = match_order(initial, swapped)
    assert matched.positions == pytest.approx(final.positions, abs=1e-9)
    assert warnings == ["2 atoms of the final structure were reordered to match the initial one"]


def test_a_hop_of_half_the_cell_keeps_the_side_it_was_given() -> None:
    initial = lithium(2)
    for side in (3.0, -3.0):
        final = initial.copy()
        final.positions[6, 2] += side
        assert moves(initial, final)[6] == pytest.approx([0, 0, side])


def test_a_jump_that_two_pairings_explain_is_refused_when_the_order_is_lost() -> None:
    initial = lithium()
    final = initial.copy()
    corner = next(i for i, position in enumerate(initial.positions) if np.allclose(position, [9, 6, 6]))
    final.positions[corner] = [9, 9, 9]  # along a face diagonal: as long, squared, as two steps in a chain
    assert moves(initial, final)[corner] == pytest.approx([0, 3, 3])
    with pytest.raises(EndpointError, match=r"ambiguous.*same order"):
        match_order(initial, final[np.random.default_rng(0).permutation(len(final))])


def _nan(_: Atoms, final: Atoms) -> None:
    final.positions[3, 1] = np.nan


def _lost(_: Atoms, final: Atoms) -> None:
    del final[int(np.flatnonzero(final.symbols == "Li")[-1])]


def _other_element(_: Atoms, final: Atoms) -> None:
    final.symbols[np.flatnonzero(final.symbols == "Co")[0]] = "Fe"


def _other_cell(_: Atoms, final: Atoms) -> None:
    final.cell[0, 0] += 0.12


def _other_pbc(_: Atoms, final: Atoms) -> None:
    final.pbc = (True, True, False)


def _flat(initial: Atoms, final: Atoms) -> None:
    initial.cell[2] = initial.cell[1]


def _overlap(_: Atoms, final: Atoms) -> None:
    final.set_constraint()
    final.positions[5] = final.positions[2] + [0.4, 0, 0]


def _other_frozen(_: Atoms, final: Atoms) -> None:
    final.set_constraint(FixAtoms([*frozen_atoms(final), 15]))


def _frozen_moved(_: Atoms, final: Atoms) -> None:
    final.positions[1] += [0, 0, 0.05]


def _identical(initial: Atoms, final: Atoms) -> None:
    final.positions[:] = initial.positions + 0.01
    final.set_constraint()
    initial.set_constraint()


def _all_frozen(initial: Atoms, final: Atoms) -> None:
    for atoms in (initial, final):
        atoms.positions[:] = initial.positions
        atoms.set_constraint(FixAtoms(range(len(atoms))))


def _bonded(initial: Atoms, final: Atoms) -> None:
    initial.set_constraint(FixBondLength(3, 4))


def _elsewhere(initial: Atoms, final: Atoms) -> None:
    top_layer = final.positions[:, 2].argsort()[-12:]
    final.positions[top_layer] += [0, 0, 2.0]


@pytest.mark.parametrize(
    ("spoil", "line"),
    [
        (_nan, r"final: .* no number"),
        (_lost, r"initial Li23, final Li22; .*same atoms"),
        (_other_element, r"initial Co\d Fe0, final Co\d Fe1"),
        (_other_cell, r"cells differ by up to 0\.120 Å"),
        (_other_pbc, r"periodic directions differ"),
        (_flat, r"initial: .*no volume"),
        (_overlap, r"final: atom 2 \(\w+\) and atom 5 \(\w+\) are 0\.40 Å apart"),
        (_other_frozen, r"atom 15 \(\w+\) is frozen in the final only"),
        (_frozen_moved, r"atom 1 \(Li\) is frozen, but moves 0\.050 Å"),
        (_identical, r"same structure: no atom moves more than 0\.02 Å"),
        (_all_frozen, r"every atom is frozen"),
        (_bonded, r"initial: constraint FixBondLength"),
        (_elsewhere, r"13 of 95 atoms move more than 1\.5 Å"),
    ],
)
def test_a_bad_pair_is_refused_in_one_line(spoil: Callable[[Atoms, Atoms], None], line: str) -> None:
    initial, final, _ = slab_hop()
    check_endpoints(initial, final)
    spoil(initial, final)
    with pytest.raises(EndpointError, match=line) as error:
        check_endpoints(initial, final)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 200


CIF = """data_x
_cell_length_a 6.0
_cell_length_b 6.0
_cell_length_c 6.0
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'P 1'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
O1 O 0.5 0.5 0.5 1.0
Li1 Li {x} 0.0 0.0 1.0
{more}
"""


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("Li2 Li 0.5 0.0 0.5 0.25", "0.25 Li on one site"),
        ("Ni1 Ni 0.5 0.0 0.5 0.8\nCo1 Co 0.5 0.0 0.5 0.2", "0.8 Ni + 0.2 Co on one site"),
        ("O2 O 0.5 0.0 0.5 1.0", ""),
    ],
)
@pytest.mark.parametrize("where", ["neb", "study"])
def test_a_structure_with_sites_that_are_not_full_is_refused_at_every_door(
    where: str, more: str, words: str, cli: Callable[..., Outcome], tmp_path: Path
) -> None:
    for name, x in (("i", 0.0), ("f", 0.2)):
        (tmp_path / f"{name}.cif").write_text(CIF.format(x=x, more=more), "utf-8")
    study = tmp_path / "study.yaml"
    study.write_text("name: x\nendpoints: {initial: i.cif, final: f.cif}\nengine: {kind: mlip}\n", "utf-8")
    ends = [tmp_path / f"{name}.cif" for name in "if"]
    if not words:
        assert len(read_endpoints(*ends)[0]) == 3
        return
    outcome = cli("check", study) if where == "study" else cli("neb", *ends, "--results", tmp_path)
    assert outcome.code == 2
    assert f"i.cif: {words}; allowed: one whole atom on each site: order the structure first" in outcome.err
    assert outcome.err.count("\n") == 1


def test_an_occupancy_in_a_pdb_file_counts_too(tmp_path: Path) -> None:
    line = "HETATM    {n}  LI  MOL     1       {x:.3f}   0.000   0.000  {share}  0.00          LI\n"
    for name, share in (("full", "1.00"), ("half", "0.50"), ("none", "0.00")):
        text = "CRYST1   10.000   10.000   10.000  90.00  90.00  90.00 P 1\n"
        text += line.format(n=1, x=1.0, share=share) + line.format(n=2, x=4.0, share="1.00")
        (tmp_path / f"{name}.pdb").write_text(text, "utf-8")
        (tmp_path / f"{name}-f.pdb").write_text(text.replace("1.000   0.000   0.000", "2.000   0.000   0.000"), "utf-8")
    with pytest.raises(EndpointError, match=r"0\.5 Li on one site"):
        read_endpoints(tmp_path / "half.pdb", tmp_path / "half-f.pdb")
    for name in ("full", "none"):
        assert len(read_endpoints(tmp_path / f"{name}.pdb", tmp_path / f"{name}-f.pdb")[0]) == 2
