"""What a reader can save from the page: files of each barrier, held by the page itself."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import NamedTuple

from barriers.documents import BarrierDoc
from barriers.files.structures import stem
from barriers.report.exports import band_extxyz, cif, poscar, profile_csv, states
from barriers.report.figures.labels import title

MOST = 4_000_000
"""Bytes of a page that such files take at most: barriers beyond that have none."""


class Save(NamedTuple):
    """A file that can be saved: what it is called on the page, its name, and its address, which holds it."""

    label: str
    name: str
    address: str


def save(label: str, name: str, text: str, kind: str = "text/plain") -> Save:
    """Make a text one that can be saved."""
    return Save(label, name, f"data:{kind};charset=utf-8;base64,{base64.b64encode(text.encode()).decode()}")


def saves(barriers: list[BarrierDoc]) -> list[list[Save]]:
    """Give what can be saved of each barrier, as far as there is room; the same writers as for files."""
    found: list[list[Save]] = []
    room = MOST
    for barrier in barriers:
        of_barrier = list(_of(barrier)) if room > 0 else []
        room -= sum(len(each.address) for each in of_barrier)
        found.append(of_barrier if room > 0 else [])
    return found


def _of(barrier: BarrierDoc) -> Iterator[Save]:
    name = stem(barrier.system, barrier.hop_name)
    if barrier.profile:
        yield save("profile (CSV)", f"{name}-profile.csv", profile_csv(barrier), "text/csv")
    for state, structure in states(barrier).items():
        yield save(f"{state} (CIF)", f"{name}-{state}.cif", cif(structure))
        yield save(f"{state} (POSCAR)", f"{name}-{state}.vasp", poscar(structure, f"{title(barrier)}: {state}"))
    if len(barrier.band.structure):
        yield save("band (extended XYZ)", f"{name}.extxyz", band_extxyz(barrier))
