"""What a model's barriers are worth: vacancy hops of published DFT benchmarks, computed as a study does.

``python tests/benchmarks/published_hops.py FOLDER [--model chgnet] [--only NAME]`` takes the hops of a folder with
``NAME/initial.vasp``, ``NAME/final.vasp`` and a ``table.csv`` of ``name,dft_eV``, those of the fewest atoms first. It
writes the numbers to ``barriers/engines/mlip/published_hops.json``, where the error below the tables of results comes
from, and renews table and figure in ``docs/validation.md``, of all hops that have been run by then. A hop takes some
minutes on two cores; what has been run before is read from ``results/published_hops``.

The folder is not part of this package. Its structures come from the collection of R. Devi, K. T. Butler and G. Sai
Gautam (arXiv:2508.06436); nothing in this package is fitted to them.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
from pathlib import Path
from statistics import mean, median
from typing import Any

from matplotlib import rc_context
from pymatgen.core import Structure
from scipy.stats import spearmanr

from barriers import BarrierMaker, MlipEngine, run
from barriers.report.style import COLOURS, MARKERS, STYLE, figure_of, own_axes

ROOT = Path(__file__).resolve().parents[2]
NUMBERS = ROOT / "barriers" / "engines" / "mlip" / "published_hops.json"
PAGE, FIGURE = ROOT / "docs" / "validation.md", ROOT / "docs" / "images" / "published-hops.png"
MODELS = ("chgnet", "7net-0", "7net-l3i5", "diep.pretrained:make_calculator")
FEW = 4
"""Barriers that have no rank correlation worth its name."""

TABLE = re.compile(r"(?<=<!-- published hops -->\n).*(?=<!-- end of published hops -->)", re.DOTALL)


def published(folder: Path) -> dict[str, float]:
    """Barriers from DFT (eV) by name, those of the smallest cells first."""
    with (folder / "table.csv").open(encoding="utf-8") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: (int(row["atoms"]), row["name"]))
    return {row["name"]: float(row["dft_eV"]) for row in rows}


def compute(name: str, dft: float, folder: Path, model: str) -> dict[str, Any]:
    """Find the barrier of a hop with every setting at its default, and say what came out."""
    ends = [Structure.from_file(folder / name / f"{end}.vasp") for end in ("initial", "final")]
    outcome = run(
        BarrierMaker(name=name, engine=MlipEngine(model=model)).make(*ends),
        ROOT / "results" / "published_hops" / model / name,
        on_event=lambda event: print(event.state, event.name, f"{event.seconds:.0f} s", event.message, flush=True),
    )
    row = {"hop": name, "published": dft, "model": model, "atoms": len(ends[0])}
    if outcome.output is None:
        return row | {"span": None, "reason": "; ".join(outcome.failures.values())}
    barrier = outcome.output
    numbers = {key: getattr(barrier, key) for key in ("forward", "reverse", "span", "uncertainty")}
    return row | {
        "version": barrier.band.engine.version,
        "weights": barrier.band.engine.checksum,
        "reason": barrier.reason,
        **{key: None if value is None else round(value, 4) for key, value in numbers.items()},
        "warnings": barrier.warnings,
        "force_calls": barrier.cost.force_calls,
        "seconds": round(barrier.cost.wall_time),
    }


def summary(rows: list[dict[str, Any]], which: str = "") -> str:
    """Say in a line how far a model is off, over the hops that have a barrier."""
    known = [row for row in rows if row["span"] is not None]
    off = [row["span"] - row["published"] for row in known]
    ranked = [row["span"] for row in known], [row["published"] for row in known]
    rank = f"{spearmanr(*ranked).statistic:.2f}" if len(known) > FEW else "not of so few"
    calls = sum(row["force_calls"] for row in known)
    low = sum(each < 0 for each in off)
    errors = f"{mean(map(abs, off)):.2f} eV in the mean, {median(map(abs, off)):.2f} eV in the median"
    return (
        f"{rows[0]['model']}{which}: {len(known)} of {len(rows)} hops have a barrier; absolute error {errors}; "
        f"bias {mean(off):+.2f} eV, {low} of {len(off)} too low; Spearman's rank correlation {rank}; "
        f"{calls} force calls."
    )


def by_hop(rows: list[dict[str, Any]]) -> dict[str, dict[str, dict[str, Any]]]:
    """Rows by hop and model."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["hop"], {})[row["model"]] = row
    return found


def table(rows: list[dict[str, Any]]) -> str:
    """Markdown table of the numbers beside the published ones, why there is none, and what they come to."""
    models = list(dict.fromkeys(row["model"] for row in rows))
    hops = by_hop(rows)
    lines = [f"| hop | atoms | published DFT (eV) |{''.join(f' {model} (eV) | off |' for model in models)}"]
    lines.append(f"| --- | --- | --- |{' --- | --- |' * len(models)}")
    for hop, of_models in hops.items():
        any_row = next(iter(of_models.values()))
        cells = "".join(_cells(of_models.get(model)) for model in models)
        lines.append(f"| {hop} | {any_row['atoms']} | {any_row['published']:g} |{cells}")
    none = [f"No barrier of {row['hop']} with {row['model']}: {row['reason']}." for row in rows if row["span"] is None]
    said = [summary([row for row in rows if row["model"] == model]) for model in models]
    for model in models[1:]:
        both = [each for each in hops.values() if all(each.get(name, {}).get("span") for name in (models[0], model))]
        shared = f" where {models[0]} and {model} have one"
        said += [summary([each[name] for each in both], shared) for name in (models[0], model)]
    return "\n".join([*lines, "", *(f"- {line}" for line in [*said, *none])]) + "\n"


def _cells(row: dict[str, Any] | None) -> str:
    if row is None:
        return " | |"
    if row["span"] is None:
        return " none | |"
    return f" {row['span']:.3f} ± {row['uncertainty']:.3f} | {row['span'] - row['published']:+.2f} |"


def draw(rows: list[dict[str, Any]]) -> None:
    """Draw each model's barriers over the published ones."""
    with rc_context(STYLE):
        axes = own_axes()
        for number, model in enumerate(dict.fromkeys(row["model"] for row in rows)):
            known = [row for row in rows if row["model"] == model and row["span"] is not None]
            of_dft, of_model = ([row[key] for row in known] for key in ("published", "span"))
            axes.plot(
                of_dft,
                of_model,
                MARKERS[number],
                color=COLOURS[number],
                label=f"{model.partition('.')[0]} ({len(known)})",
            )
        axes.axline((0, 0), slope=1, color="0.6", lw=0.8, zorder=0)
        axes.set(xlabel="published DFT (eV)", ylabel="model (eV)", xlim=(0, None), ylim=(0, None))
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2)  # within, it hides points
        figure_of(axes).savefig(FIGURE, dpi=200)


def main() -> None:
    """Run the hops asked for, one after the other, and write each down as it is done."""
    parser = argparse.ArgumentParser(description="Published vacancy hops with a model of the embedded engine.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", choices=MODELS, default="chgnet")
    parser.add_argument("--only", metavar="NAME", help="one hop")
    asked = parser.parse_args()
    order = published(asked.folder)
    for name, dft in order.items():
        if asked.only not in (None, name):
            continue
        row = compute(name, dft, asked.folder, asked.model)
        done = json.loads(NUMBERS.read_text("utf-8")) if NUMBERS.exists() else []
        rows = [old for old in done if (old["hop"], old["model"]) != (name, asked.model)] + [row]
        rows.sort(key=lambda row: (MODELS.index(row["model"]), list(order).index(row["hop"])))
        NUMBERS.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", "utf-8")
        PAGE.write_text(TABLE.sub(table(rows), PAGE.read_text("utf-8")), "utf-8")
        draw(rows)


if __name__ == "__main__":
    main()
