"""The referee's first half: what must hold for the images of any band, whatever code made it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from pymatgen.core import Structure

from barriers.analysis.band import SHORTEST_STEP, minimum_image_displacements
from barriers.parsing.found import Check, FoundBand, Verdict
from barriers.structures.surface.slab import frozen_atoms

LENIENT = ("version", "NKPTS", "calculator")
"""Settings that may differ between images which are sound all the same: doubtful, not wrong."""

SAME_CELL = 1e-3
"""Lattice vectors of one band agree within this (Å)."""


def general_checks(found: FoundBand) -> list[Check]:
    """Look at everything but forces: energies, settings, convergence, steps, atoms, cell and what is frozen."""
    return [
        _energies(found),
        *check_settings(found),
        _converged(found, "electrons", [image.electrons for image in found.images]),
        _converged(found, "relaxed", [image.relaxed for image in found.images]),
        _steps(found),
        _species(found),
        *_cells(found),
        *_frozen(found),
    ]


def _energies(found: FoundBand) -> Check:
    seen = ["none" if image.energy is None else f"{image.energy:.6f}" for image in found.images]
    last = len(found.images) - 1
    missing = [
        f"no energy of {found.call(number)}: {found.where[number]}"
        + ("; give it with --endpoints" if number in (0, last) else "")
        for number, image in enumerate(found.images)
        if image.energy is None
    ]
    return Check("energy", "wrong" if missing else "ok", seen, "; ".join(missing))


def check_settings(found: FoundBand) -> list[Check]:
    """Compare what enters the energies: every name that two images tell must have one value.

    A name that only some of the images tell is unknown, not wrong.
    """
    names = dict.fromkeys(name for image in found.images for name in image.settings)
    checks = [_same(name, [image.settings.get(name) for image in found.images]) for name in names]
    checks += _silent(found)
    known = {check.name for check in checks if check.verdict == "ok"}
    # Irreducible points of one mesh are as many as the symmetry of an image leaves.
    return [check for check in checks if not (check.name == "NKPTS" and "k-mesh" in known)]


def _silent(found: FoundBand) -> Iterator[Check]:
    """Say which images tell nothing of what entered their energies, where others do: a head was cut."""
    told = [bool(set(image.settings) - {"version", "dispersion", "calculator"}) for image in found.images]
    if not any(told) or all(told):
        return
    # A number that was typed comes from no file, and has a warning of its own.
    silent = [n for n, image in enumerate(found.images) if not told[n] and any(Path(f).is_file() for f in image.files)]
    says = f"settings of {', '.join(map(found.call, silent))} are not known: see that they are those of the others"
    seen = ["known" if known else "unknown" for known in told]
    yield Check("settings", "doubtful" if silent else "unknown", seen, says if silent else "")


def _same(name: str, values: list[str | None]) -> Check:
    seen = [value or "unknown" for value in values]
    different = dict.fromkeys(value for value in values if value is not None)
    if len(different) < 2:
        return Check(name, "ok" if None not in values else "unknown", seen)
    images = {value: ", ".join(str(n) for n, each in enumerate(values) if each == value) for value in different}
    told = "; ".join(f"{value} in image {numbers}" for value, numbers in images.items())
    if name in LENIENT:
        return Check(name, "doubtful", seen, f"{name} differs: {told}; their energies may not belong together")
    return Check(name, "wrong", seen, f"{name} differs: {told}; their energies cannot be compared")


def _converged(found: FoundBand, name: str, values: list[bool | None]) -> Check:
    seen = [{True: "yes", False: "no", None: "unknown"}[value] for value in values]
    lines = [
        f"{found.call(number)}: {image.words or f'{name}: no'}"
        for number, (value, image) in enumerate(zip(values, found.images, strict=True))
        if value is False and (name == "electrons" or image.electrons is not False)  # whose electrons are off is told
    ]
    verdict: Verdict = "wrong" if "no" in seen else "unknown" if "unknown" in seen else "ok"
    return Check(name, verdict, seen, "; ".join(lines))


def _steps(found: FoundBand) -> Check:
    """Images of one run have taken as many steps as one another; endpoints are runs of their own."""
    steps = [image.steps for image in found.images]
    seen = ["unknown" if number is None else str(number) for number in steps]
    between = {number for number in steps[1:-1] if number is not None}
    if len(between) > 1:
        told = ", ".join(f"{count} in image {n}" for n, count in enumerate(steps) if 0 < n < len(steps) - 1)
        return Check("steps", "wrong", seen, f"images have different numbers of steps: {told}; files of several runs")
    return Check("steps", "ok" if between else "unknown", seen)


def _species(found: FoundBand) -> Check:
    lists = [image.species for image in found.images]
    seen = ["unknown" if names is None else _formula(names) for names in lists]
    first = next((names for names in lists if names is not None), None)
    for number, names in enumerate(lists):
        if names is None or names == first:
            continue
        assert first is not None
        if sorted(names) == sorted(first):
            atom = next(i for i, (one, other) in enumerate(zip(first, names, strict=True)) if one != other)
            says = (
                f"{found.call(number)} has its atoms in another order: atom {atom} is {names[atom]}, not {first[atom]}"
            )
        else:
            says = f"{found.call(number)} is {_formula(names)}, but the first is {_formula(first)}"
        return Check("atoms", "wrong", seen, says)
    return Check("atoms", "ok" if None not in lists else "unknown", seen)


def _formula(names: list[str]) -> str:
    """Write elements in the order in which they stand, each run with its length: ``Li O3``."""
    runs: list[tuple[str, int]] = []
    for name in names:
        runs = [*runs[:-1], (name, runs[-1][1] + 1)] if runs and runs[-1][0] == name else [*runs, (name, 1)]
    return " ".join(f"{name}{count if count > 1 else ''}" for name, count in runs)


def _cells(found: FoundBand) -> Iterator[Check]:
    if found.structure is None:
        return
    cell = found.structure.lattice.matrix
    seen = [
        "unknown"
        if image.cell is None
        else " × ".join(f"{length:.3f}" for length in np.linalg.norm(image.cell, axis=1))
        for image in found.images
    ]
    for number, image in enumerate(found.images):
        if image.cell is not None and (off := float(np.abs(image.cell - cell).max())) > SAME_CELL:
            says = f"{found.call(number)} has another cell: a lattice vector differs by {off:.3f} Å"
            yield Check("cell", "wrong", seen, says)
            return
    yield Check("cell", "unknown" if "unknown" in seen else "ok", seen)


def _frozen(found: FoundBand) -> Iterator[Check]:
    if found.structure is None:
        return
    known = [image.free for image in found.images]
    seen = ["unknown" if free is None else str(int((~free.any(axis=1)).sum())) for free in known]
    first = next((free for free in known if free is not None), None)
    for number, free in enumerate(known):
        if free is not None and first is not None and free.shape == first.shape and (free != first).any():
            atom = int(np.flatnonzero((free != first).any(axis=1))[0])
            other, usual = _flags(free[atom]), _flags(first[atom])
            says = f"{found.call(number)} has other frozen atoms: atom {atom} {other}, not {usual}"
            yield Check("frozen atoms", "doubtful", seen, says)
            break
    else:
        yield Check("frozen atoms", "unknown" if "unknown" in seen else "ok", seen)
    yield _unmoved(found, found.structure)


def _flags(free: np.ndarray) -> str:
    return " ".join("T" if each else "F" for each in free)


def _unmoved(found: FoundBand, structure: Structure) -> Check:
    """See that frozen atoms are in one place in all images."""
    images = found.images
    held = frozen_atoms(structure)
    if not held or any(len(image.positions) != len(structure) for image in images):
        return Check("frozen atoms unmoved", "ok" if not held else "unknown", ["none frozen"] if not held else [])
    places = np.array([image.positions[held] for image in images])
    pairs = np.stack([np.broadcast_to(places[0], places.shape), places]).reshape(2, -1, 3)
    moves = minimum_image_displacements(pairs, structure.lattice.matrix, structure.lattice.pbc)[0].reshape(places.shape)
    far = np.linalg.norm(moves, axis=2)
    seen = [f"{row.max():.4f} Å" for row in far]
    if far.max() > SHORTEST_STEP:
        number, atom = np.unravel_index(int(far.argmax()), far.shape)
        where = f"{far.max():.3f} Å from where the first image has it"
        says = f"frozen atom {held[atom]} of {found.call(int(number))} is {where}"
        return Check("frozen atoms unmoved", "wrong", seen, says)
    return Check("frozen atoms unmoved", "ok", seen)
