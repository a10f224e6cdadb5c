"""Known bulk Li hops with the embedded engine, beside published DFT.

``python tests/benchmarks/known_hops.py [--model chgnet] [--only NAME]`` runs the hops with the settings of a study
left at their defaults, writes the numbers to ``barriers/engines/mlip/known_hops.json`` and renews the table in
``docs/validation.md``. A hop takes a few minutes on two cores; what has been run before is read from
``results/known_hops``.
"""

from __future__ import annotations

import argparse
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jobflow import Flow
from pymatgen.core import Lattice, Structure

from barriers import BarrierMaker, MlipEngine, run
from barriers.analysis.band import minimum_image_displacements
from barriers.structures.cathode.crystal import bulk, known_cathodes
from barriers.structures.cathode.ordering import order_metals

ROOT = Path(__file__).resolve().parents[2]
NUMBERS = ROOT / "barriers" / "engines" / "mlip" / "known_hops.json"
PAGE = ROOT / "docs" / "validation.md"
TABLE = re.compile(r"(?<=<!-- known hops -->\n).*(?=<!-- end of known hops -->)", re.DOTALL)


@dataclass(frozen=True)
class KnownHop:
    """A bulk hop and what was published for it.

    Attributes
    ----------
    crystal : str
        ``LiCoO2``, ``LiNiO2`` or ``LiMn2O4``.
    route : str
        What the ion passes on its way, in words.
    divacancy : bool
        Whether a second vacancy, next to both sites, opens the way through a tetrahedral site.
    published : float or None
        Barrier from DFT (eV), if one with a source is known.
    source : str
        Label of that source among those listed in ``docs/validation.md``.
    """

    crystal: str
    route: str
    divacancy: bool
    published: float | None = None
    source: str = ""


KNOWN_HOPS = {
    "LiCoO2-ODH": KnownHop("LiCoO2", "oxygen dumbbell, single vacancy", False, 0.67, "[a]"),
    "LiCoO2-TSH": KnownHop("LiCoO2", "tetrahedral site, divacancy", True, 0.21, "[b]"),
    "LiNiO2-ODH": KnownHop("LiNiO2", "oxygen dumbbell, single vacancy", False, 0.45, "[a]"),
    "LiNiO2-TSH": KnownHop("LiNiO2", "tetrahedral site, divacancy", True),
    "LiMn2O4": KnownHop("LiMn2O4", "8a → 16c → 8a, single vacancy", False),
}


def crystal(name: str, across: int = 3) -> Structure:
    """Build the perfect supercell at its experimental lattice: 108 atoms (layered, 3×3×1 or as asked) or 56 (spinel).

    Spinel: Fd-3m with a = 8.24 Å and u = 0.263, rounded from Berg and Thomas, J. Mater. Chem. 9, 429 (1999);
    Li on 8a at the origin, Mn on 16d, O on 32e.
    """
    if name == "LiMn2O4":
        sites: list[list[float]] = [[0] * 3, [5 / 8] * 3, [0.263 + 1 / 8] * 3]
        return Structure.from_spacegroup("Fd-3m", Lattice.cubic(8.24), ["Li", "Mn", "O"], sites)
    cathode = known_cathodes()[name]
    structure = order_metals(bulk(cathode), cathode.metals, seed=0)
    structure.make_supercell([across, across, 1])
    return structure


def ground_state(name: str, model: str, across: int = 3) -> np.ndarray:
    """Displacements (Å), shape (N, 3), that relax the perfect supercell at fixed cell, its symmetry broken first.

    Ni³⁺ and Mn³⁺ distort their octahedra. A symmetric start keeps the undistorted crystal, which is no minimum, and a
    band between such endpoints slides off them.
    """
    ideal = crystal(name, across)
    job = MlipEngine(model=model).relax(0.02, 1000).make(ideal.copy().perturb(0.05, seed=0))
    outcome = run(Flow([job], output=job.output), ROOT / "results" / "known_hops" / model / name)
    if outcome.output is None or not outcome.output.converged:
        raise SystemExit(f"{name}: the perfect crystal does not relax: {outcome.failures}")
    pair = [ideal.cart_coords, outcome.output.structure.cart_coords]
    return minimum_image_displacements(pair, ideal.lattice.matrix)[0]


def endpoints(hop: KnownHop, displacements: np.ndarray | float = 0.0, across: int = 3) -> tuple[Structure, Structure]:
    """Unrelaxed endpoints: a Li jumps to the nearest Li site, which is empty.

    Parameters
    ----------
    hop : KnownHop
        The hop.
    displacements : numpy.ndarray
        What :func:`ground_state` gives; the crystal as built if left out.
    across : int
        Size of the supercell, as for :func:`crystal`.

    Returns
    -------
    tuple[Structure, Structure]
        The same atoms in the same order; the moving ion is not wrapped into the cell.
    """
    perfect = crystal(hop.crystal, across)
    moving = perfect.indices_from_symbol("Li")[0]
    around = [site for site in perfect.get_neighbors(perfect[moving], 4.0) if site.specie.symbol == "Li"]
    length = min(site.nn_distance for site in around)
    shell = [site for site in around if site.nn_distance < length + 0.1]
    target = shell[0]
    beside = [site for site in shell if abs(np.linalg.norm(site.coords - target.coords) - length) < 0.1]
    vacancies = [target.index, beside[0].index] if hop.divacancy else [target.index]
    positions = perfect.cart_coords + displacements
    image = target.coords - perfect[target.index].coords
    initial = Structure(perfect.lattice, perfect.species, positions, coords_are_cartesian=True)
    initial.remove_sites(vacancies)
    final = initial.copy()
    ion = moving - sum(index < moving for index in vacancies)
    jump = positions[target.index] + image - positions[moving]
    final.translate_sites([ion], jump, frac_coords=False, to_unit_cell=False)
    return initial, final


def compute(name: str, model: str) -> dict[str, Any]:
    """Find the barrier of a hop as a study would, in the relaxed crystal, and say what came out."""
    hop = KNOWN_HOPS[name]
    outcome = run(
        BarrierMaker(name=name, engine=MlipEngine(model=model)).make(*endpoints(hop, ground_state(hop.crystal, model))),
        ROOT / "results" / "known_hops" / model / name,
        on_event=lambda event: print(event.state, event.name, f"{event.seconds:.0f} s", event.message, flush=True),
    )
    if outcome.output is None:
        raise SystemExit(f"{name}: {outcome.failures}")
    barrier = outcome.output
    numbers = {key: getattr(barrier, key) for key in ("forward", "reverse", "span", "fit_spread")}
    return {
        "hop": name,
        "published": hop.published,
        "model": model,
        "version": barrier.band.engine.version,
        "weights": barrier.band.engine.checksum,
        "atoms": len(barrier.band.structure),
        "converged": barrier.converged,
        "reason": barrier.reason,
        **{key: None if value is None else round(value, 4) for key, value in numbers.items()},
        "warnings": barrier.warnings,
        "force_calls": barrier.cost.force_calls,
    }


def table(rows: list[dict[str, Any]]) -> str:
    """Markdown table of the numbers beside the published ones; a hop not run yet says so."""
    lines = [
        "| crystal | route | model | barrier (eV) | published DFT (eV) | ratio |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, hop in KNOWN_HOPS.items():
        published = "none with a source yet" if hop.published is None else f"{hop.published:.2f} {hop.source}"
        for row in [row for row in rows if row["hop"] == name] or [{"model": "", "forward": None, "reason": "not run"}]:
            value, ratio = row["forward"], ""
            if value is not None and hop.published is not None:
                ratio = f"{value / hop.published:.2f}"
            barrier = row["reason"] if value is None else f"{value:.3f} ± {row['fit_spread']:.3f}"
            lines.append(f"| {hop.crystal} | {hop.route} | {row['model']} | {barrier} | {published} | {ratio} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run the hops asked for, one after the other, and write each down as it is done."""
    parser = argparse.ArgumentParser(description="Known bulk Li hops beside published DFT.")
    parser.add_argument("--model", default="chgnet", help="a model of the embedded engine")
    parser.add_argument("--only", choices=KNOWN_HOPS, metavar="NAME", help=f"one of {', '.join(KNOWN_HOPS)}")
    arguments = parser.parse_args()
    for name in [arguments.only] if arguments.only else KNOWN_HOPS:
        row = compute(name, arguments.model)
        done = json.loads(NUMBERS.read_text("utf-8")) if NUMBERS.exists() else []
        rows = [old for old in done if (old["hop"], old["model"]) != (name, arguments.model)] + [row]
        rows.sort(key=lambda row: (list(KNOWN_HOPS).index(row["hop"]), row["model"]))
        NUMBERS.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", "utf-8")
        PAGE.write_text(TABLE.sub(table(rows), PAGE.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()
