"""Barriers corrected at few points, against the truth: the expensive engine's own band, converged tightly.

``python tests/benchmarks/surrogate.py [--only NAME] [--points N] [--table]`` runs each case with ``neb: surrogate``,
then relaxes the model's ends and band on with the expensive engine to 0.015 eV/Å. It writes the numbers to
``docs/surrogate.json``, renews the table in ``docs/benchmark.md`` and draws the calibration. What has been run before
is read from ``results/surrogate``. Cases need the extras ``mlip`` and ``sevennet``, or ``pw.x`` and ``neb.x`` with
Debian's package quantum-espresso-data. A case takes from minutes (Quantum ESPRESSO) to an hour on two cores, nearly
all of it for the truth.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bulk_hops
import numpy as np
from espresso_handover import ends as half_lithiated
from jobflow import Flow
from pymatgen.core import Structure

from barriers import BarrierMaker, EspressoEngine, MlipEngine, SurrogateEngine, run
from barriers.documents import BandDoc, BarrierDoc
from barriers.engines.protocol import Engine
from barriers.files.structures import read_endpoints
from barriers.structures.hop.hop import final_in_initial_order, make_endpoint
from barriers.structures.path.start import Start
from barriers.study.models import CathodeSection, HopSection, NebSection, PathSection, RelaxSection, SurfaceSection
from barriers.workflow.slab_and_hops import build_slab, crystal_of, hops_of

ROOT = Path(__file__).resolve().parents[2]
RESULTS, NUMBERS, PAGE = (
    ROOT / "results" / "surrogate",
    ROOT / "docs" / "surrogate.json",
    ROOT / "docs" / "benchmark.md",
)
PICTURE = ROOT / "docs" / "images" / "surrogate-calibration.png"
LITERATURE = ROOT.parent / "shared" / "literature"
TIGHT = 0.015
"""Largest force of the truth (eV/Å)."""

Ends = tuple[Structure, Structure]


def bulk(name: str) -> Ends:
    """Ends of a bulk hop; layered oxides in a 2×2×1 cell (48 atoms before the vacancy)."""
    hop = bulk_hops.BULK_HOPS[name]
    return bulk_hops.endpoints(hop, bulk_hops.ground_state(hop.crystal, "chgnet", 2), 2)


def published(name: str) -> Ends:
    """Ends of a published hop, as structure files beside this repository."""
    initial, final, _ = read_endpoints(LITERATURE / name / "initial.vasp", LITERATURE / name / "final.vasp")
    return initial, final


def slab() -> Ends:
    """Sub-surface hop of the shipped study's bare slab (71 atoms with the vacancy)."""
    cathode, surface = CathodeSection(), SurfaceSection(layers=3, frozen_layers=1)
    built = build_slab(crystal_of(cathode), cathode, surface).structure
    (hop,) = hops_of(built, [HopSection()])
    job = MlipEngine().relax(0.03, 500).make(built)
    relaxed = run(Flow([job], output=job.output), RESULTS / "slab").output.structure
    return make_endpoint(relaxed, hop.initial), final_in_initial_order(make_endpoint(relaxed, hop.final), hop)


def rigid() -> Ends:
    """Li in Li0.5NiO2, all else held (7 atoms)."""
    both = half_lithiated()
    for structure in both:
        structure.add_site_property("selective_dynamics", [[site.specie.symbol == "Li"] * 3 for site in structure])
    return both


def oxide() -> Ends:
    """Li vacancy in Li2O, charged, of the shipped study."""
    initial, final, _ = read_endpoints(ROOT / "inputs" / "li2o_initial.vasp", ROOT / "inputs" / "li2o_final.vasp")
    return initial, final


def espresso(**keywords: Any) -> EspressoEngine:
    """Quantum ESPRESSO with low cutoffs: a test of the method, no reference for the material."""
    spacing = 1.5 if "tot_charge" in keywords else 2.6
    given = {"preset": "insulator", "pseudopotentials": "debian-pbesol", "kspacing": spacing}
    return EspressoEngine(**given, keywords={"conv_thr": 1e-8, **keywords})


@dataclass(frozen=True)
class Case:
    """Ends, the expensive engine, intermediate images, and the model that is corrected."""

    ends: Callable[[], Ends]
    engine: Engine
    images: int = 5
    prior: str = "chgnet"


PRIOR = ", prior "
SMEARED = {"occupations": "smearing", "smearing": "mv", "degauss": 0.02}
CASES = {
    f"{name} / {model}{PRIOR + prior if prior != 'chgnet' else ''}": Case(ends, MlipEngine(model=model), prior=prior)
    for (model, prior), hops in {
        ("7net-0", "chgnet"): (
            "LiCoO2-ODH",
            "LiCoO2-TSH",
            "LiNiO2-ODH",
            "LiNiO2-TSH",
            "LiMn2O4",
            "LiSc2S4",
            "a-TiO2_Li",
            "NCM811",
        ),
        ("7net-l3i5", "chgnet"): ("LiCoO2-ODH", "LiCoO2-TSH", "Li3OCl_1", "NCM811"),
        ("7net-l3i5", "7net-0"): ("LiCoO2-ODH", "LiCoO2-TSH", "NCM811"),
    }.items()
    for name in hops
    for ends in [
        slab if name == "NCM811" else (lambda name=name: (bulk if name in bulk_hops.BULK_HOPS else published)(name))
    ]
} | {
    "Li2O / espresso": Case(oxide, espresso(tot_charge=-1.0), 3),
    "Li0.5NiO2 / espresso": Case(rigid, espresso(**SMEARED), 3),
}


def folder(name: str) -> Path:
    """Where a case's results are."""
    return RESULTS / re.sub(r"\W+", "-", name)


def corrected(name: str, points: int) -> BarrierDoc:
    """Find a barrier with ``neb: surrogate``."""
    case = CASES[name]
    maker = BarrierMaker(
        name=name,
        engine=SurrogateEngine(case.engine, MlipEngine(model=case.prior), points=points),
        relax=RelaxSection(fmax=0.03),
        path=PathSection(n_images=case.images),
        neb=NebSection(fmax=0.05),
    )
    outcome = run(maker.make(*case.ends()), folder(name), on_event=lambda event: print(event.state, event.name))
    if outcome.output is None:
        raise SystemExit(f"{name}: {outcome.failures}")
    found: BarrierDoc = outcome.output
    return found


def truth(name: str, band: BandDoc) -> dict[str, float]:
    """Relax the model's ends and converge its band with the expensive engine, once for all models."""
    for row in written():
        if row["case"].partition(PRIOR)[0] == name.partition(PRIOR)[0]:
            return dict(row["truth"])
    case, model = CASES[name], band.surrogate
    assert model is not None
    images = [band.structure.copy() for _ in model.model_positions]
    for image, positions in zip(images, model.model_positions, strict=True):
        for site, place in zip(image, positions, strict=True):
            site.coords = place
    start = Start(method="carried", n_images=len(images) - 2)
    guide = band.model_copy(update={"positions": model.model_positions, "energies": model.model_energies})
    ends = [case.engine.relax(TIGHT, 1000).make(image) for image in (images[0], images[-1])]
    tight = case.engine.neb(TIGHT, 0.3, 500, 1.0).make(ends[0].output, ends[1].output, start, guide)
    outcome = run(Flow([*ends, tight], output=tight.output), folder(name) / "truth")
    found = outcome.output
    if found is None or not found.converged:
        raise SystemExit(f"{name}: no truth: {outcome.failures or found.reason}")
    saddle = max(found.energies)
    return {
        "forward": saddle - found.energies[0],
        "reverse": saddle - found.energies[-1],
        "points": outcome.force_calls,
    }


def written() -> list[dict[str, Any]]:
    """Rows of the cases that have been run."""
    return json.loads(NUMBERS.read_text("utf-8")) if NUMBERS.exists() else []


def compute(name: str, points: int) -> dict[str, Any]:
    """Say what came of a case."""
    found = corrected(name, points)
    rests_on = found.band.surrogate
    if rests_on is None:
        raise SystemExit(f"{name}: {found.reason}")
    true = truth(name, found.band)
    ends = [round_.max_force for round_ in rests_on.rounds if round_.kind != "saddle" and round_.round == 1]
    estimates = [round_ for round_ in rests_on.rounds if round_.forward is not None and round_.uncertainty]
    return {
        "case": name,
        "atoms": len(found.band.structure),
        "converged": found.converged,
        "reason": found.reason,
        "forward": rests_on.forward,
        "reverse": rests_on.reverse,
        "uncertainty": rests_on.uncertainty_forward,
        "raw": rests_on.raw_forward,
        "points": rests_on.counts,
        "model_calls": rests_on.model_calls,
        "force_at_ends": max(force for force in ends if force is not None),
        "of_model": max(energy for energy in rests_on.model_energies if energy is not None)
        - (rests_on.model_energies[0] or 0.0),
        "truth": true,
        "z": [(round_.forward - true["forward"]) / round_.uncertainty for round_ in estimates],
        "scf_cycles": found.band.cost.scf_cycles,
    }


def table(rows: list[dict[str, Any]]) -> str:
    """Markdown table of all cases."""
    lines = [
        "| hop / expensive engine | atoms | force at the model's ends (eV/Å) | model (eV) | raw (eV) | corrected (eV) "
        "| truth (eV) | off, forward / reverse (meV) | points: initial + saddle + final | points of the plain band |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        true, counts = row["truth"], row["points"]
        known = row["forward"] is not None
        number = f"{row['forward']:.3f} ± {row['uncertainty']:.3f}" if known else "ends not relaxed"
        off = (
            " / ".join(f"{1000 * (row[which] - true[which]):+.0f}" for which in ("forward", "reverse"))
            if known
            else "—"
        )
        spent = " + ".join(str(counts.get(kind, 0)) for kind in ("initial", "saddle", "final"))
        cells = [
            row["case"],
            str(row["atoms"]),
            *(f"{row['force_at_ends']:.2f}", f"{row['of_model']:.3f}", f"{row['raw']:.3f}" if known else "—"),
            number if row["converged"] else f"refused ({number})",
            *(f"{true['forward']:.3f}", off, f"{sum(counts.values())}: {spent}", f"{true['points']:.0f}"),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def draw(rows: list[dict[str, Any]]) -> None:
    """Plot every estimate's error over its stated standard deviation, by the points spent."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6, 4.2), layout="constrained")
    axes.axhspan(-2, 2, color="0.9")
    axes.axhline(0, color="0.5", linewidth=0.8)
    for row in [each for each in rows if each["z"]]:
        last = sum(row["points"].values())
        spent = np.arange(last - len(row["z"]) + 1, last + 1)
        axes.plot(spent, row["z"], marker="o" if row["converged"] else "x", linewidth=0.8, label=row["case"])
    axes.set_xlabel("points so far")
    axes.set_ylabel("error / stated standard deviation")
    figure.legend(fontsize=7, ncols=3, loc="outside lower center")  # within, it hides points
    figure.savefig(PICTURE, dpi=150)


def main() -> None:
    """Run the cases asked for, one after the other, and write each down as it is done."""
    parser = argparse.ArgumentParser(description="Corrected barriers against the truth.")
    parser.add_argument("--only", choices=CASES, metavar="NAME", help=f"one of {', '.join(CASES)}")
    parser.add_argument("--points", type=int, default=24, help="most points of a hop")
    parser.add_argument("--table", action="store_true", help="only renew the table and the picture")
    arguments = parser.parse_args()
    for name in [] if arguments.table else [arguments.only] if arguments.only else CASES:
        row = compute(name, arguments.points)
        others = [old for old in written() if old["case"] != name]
        rows = sorted([*others, row], key=lambda row: list(CASES).index(row["case"]))
        NUMBERS.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", "utf-8")
    rows = written()
    marked = re.compile(r"(?<=<!-- corrected -->\n).*(?=<!-- end of corrected -->)", re.DOTALL)
    PAGE.write_text(marked.sub(lambda _: table(rows), PAGE.read_text("utf-8")), "utf-8")
    draw(rows)


if __name__ == "__main__":
    main()
