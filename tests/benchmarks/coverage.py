"""Whether a barrier's interval holds what a tighter band gives: 30 hops that take seconds.

``python tests/benchmarks/coverage.py`` runs each hop with the settings of a study left at their defaults and once more
with every force below 0.005 eV/Å, writes ``docs/data/coverage.json`` and renews the table in
``docs/barrier-definition.md``. It ends with exit code 1 if fewer than 27 of the 30 tight barriers lie within two
standard deviations of the usual ones. On one core it takes some minutes; what has been run is read from
``results/coverage``.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.build import add_adsorbate, bulk, fcc100, fcc111
from ase.constraints import FixAtoms
from ase.data import reference_states

from barriers import BarrierMaker, MlipEngine, run, to_structure

ROOT = Path(__file__).resolve().parents[2]
NUMBERS = ROOT / "docs" / "data" / "coverage.json"
PAGE = ROOT / "docs" / "barrier-definition.md"
TABLE = re.compile(r"(?<=<!-- coverage -->\n).*(?=<!-- end of coverage -->)", re.DOTALL)
TIGHT = 0.005
WANTED = 27
Ends = tuple[Atoms, Atoms]


def hops() -> Iterator[tuple[str, Ends]]:
    """Name and unrelaxed endpoints of every hop: vacancies and adatoms, in and on metals, and alloys in disorder."""
    for metal in ("Al", "Cu", "Ag", "Au", "Ni", "Pt"):
        yield f"vacancy in {metal}", vacancy([metal], 0)
    for seed, metals in enumerate((["Cu", "Au"], ["Ag", "Pt"], ["Al", "Ni"], ["Ag", "Au"], ["Cu", "Pd"], ["Ni", "Pt"])):
        yield f"vacancy in {'-'.join(metals)} alloy", vacancy(metals, seed)
    for ion, metals in (("Au", ["Al"]), ("Cu", ["Cu"]), ("Pt", ["Ag"]), ("Ag", ["Ni"]), ("Pd", ["Au"]), ("Al", ["Pt"])):
        yield f"{ion} on {metals[0]}(100)", adatom(ion, metals, "100")
    for ion, metals in (("Au", ["Pt"]), ("Cu", ["Ag"]), ("Ni", ["Al"]), ("Ag", ["Cu"])):
        yield f"{ion} on {metals[0]}(111)", adatom(ion, metals, "111")
    for seed, (ion, metals) in enumerate(
        (
            ("Ag", ["Cu", "Au"]),
            ("Cu", ["Ag", "Pt"]),
            ("Au", ["Al", "Ni"]),
            ("Pt", ["Ag", "Au"]),
            ("Ni", ["Cu", "Pd"]),
            ("Al", ["Ni", "Pt"]),
            ("Pd", ["Cu", "Ni"]),
            ("Au", ["Ag", "Pd"]),
        )
    ):
        yield f"{ion} on {'-'.join(metals)} alloy (100)", adatom(ion, metals, "100", seed)


def vacancy(metals: list[str], seed: int) -> Ends:
    """An atom jumps into the empty site next to it, in 31 atoms."""
    perfect = bulk("Cu", "fcc", _lattice(metals), cubic=True) * (2, 2, 2)
    _mix(perfect, metals, seed)
    # One atom jumps onto another one's place, which is empty.
    near = int(np.argsort(perfect.get_distances(0, range(1, len(perfect)), mic=True))[0]) + 1
    initial = perfect.copy()
    del initial[0]
    final = initial.copy()
    final.positions[near - 1] += perfect.get_distance(near, 0, mic=True, vector=True)
    return initial, final


def adatom(ion: str, metals: list[str], facet: str, seed: int = 0) -> Ends:
    """An atom on a slab jumps from a hollow to the next, in 28 atoms, the lowest layer frozen."""
    make = fcc100 if facet == "100" else fcc111
    slab = make("Cu", size=(3, 3, 3), a=_lattice(metals))
    _mix(slab, metals, seed)
    slab.set_constraint(FixAtoms(mask=slab.get_tags() == 3))
    ends = []
    for site in ("hollow", "hollow") if facet == "100" else ("fcc", "hcp"):
        end = slab.copy()
        add_adsorbate(end, ion, 1.8, site, offset=(1, 1) if not ends or facet == "111" else (2, 1))
        end.center(axis=2, vacuum=5.0)
        end.set_constraint(FixAtoms(mask=end.get_tags() == 3))
        ends.append(end)
    return ends[0], ends[1]


def _lattice(metals: list[str]) -> float:
    from ase.data import atomic_numbers

    return float(np.mean([reference_states[atomic_numbers[metal]]["a"] for metal in metals]))  # type: ignore[index]


def _mix(atoms: Atoms, metals: list[str], seed: int) -> None:
    atoms.symbols = np.random.default_rng(seed).permutation(np.resize(metals, len(atoms)))


def compute(name: str, ends: Ends) -> dict[str, Any]:
    """Find a barrier with the default settings, and the one of a tight band."""
    given = [to_structure(end) for end in ends]
    found = {}
    for kind, settings in (("usual", {}), ("tight", {"fmax": TIGHT, "rough_fmax": 0.1, "max_steps": 2000})):
        maker = BarrierMaker(f"{name} {kind}", engine=MlipEngine(model="emt"), **settings)
        found[kind] = run(maker.make(*given), ROOT / "results" / "coverage").output
    usual, tight = found["usual"], found["tight"]
    reason = usual.reason or tight.reason
    if reason:
        return {"hop": name, "reason": reason}
    numbers = {"forward": usual.forward, "uncertainty": usual.uncertainty, "tight": tight.forward}
    rounded = {key: round(value, 5) for key, value in (numbers | usual.uncertainty_parts).items()}
    holds = abs(usual.forward - tight.forward) <= 2 * usual.uncertainty
    return {"hop": name, **rounded, "fit_spread": round(usual.fit_spread, 5), "holds": holds}


def table(rows: list[dict[str, Any]]) -> str:
    """Lay the rows out for the page."""
    lines = ["| hop | barrier (eV) | tight band (eV) | off by (meV) | ± (meV) | within ± 2σ |", "| --- " * 6 + "|"]
    for row in rows:
        off = 1000 * (row["tight"] - row["forward"])
        numbers = (f"{row['forward']:.4f}", f"{row['tight']:.4f}", f"{off:+.1f}", f"{1000 * row['uncertainty']:.1f}")
        lines.append(f"| {' | '.join((row['hop'], *numbers, 'yes' if row['holds'] else 'no'))} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    rows = [compute(name, ends) for name, ends in hops()]
    for row in rows:
        print(row, flush=True)
    sound = [row for row in rows if "reason" not in row]
    held = sum(row["holds"] for row in sound)
    print(f"{held} of {len(sound)} tight barriers lie within two standard deviations")
    NUMBERS.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", "utf-8")
    PAGE.write_text(TABLE.sub(lambda _: table(sound), PAGE.read_text("utf-8")), "utf-8")
    sys.exit(held < WANTED)
