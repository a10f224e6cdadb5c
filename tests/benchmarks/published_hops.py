"""What a model's barriers are worth: vacancy hops of published DFT benchmarks, computed as a study does.

``python tests/benchmarks/published_hops.py FOLDER [--model chgnet] [--only NAME]`` takes the hops of a folder with
``NAME/initial.vasp``, ``NAME/final.vasp`` and a ``table.csv`` of ``name,dft_eV``, those of the fewest atoms first. It
writes the numbers to ``docs/data/published_hops.json`` and renews table and figure in ``docs/validation.md``, of all
hops that have been run by then. A hop takes some minutes on two cores; what has been run before is read from
``results/published_hops``.

The folder is not part of this package. Its structures come from the collection of R. Devi, K. T. Butler and G. Sai
Gautam (arXiv:2508.06436); nothing in this package is fitted to them.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
from pathlib import Path
from statistics import mean
from typing import Any

from matplotlib import rc_context
from pymatgen.core import Structure
from scipy.stats import spearmanr

from barriers import BarrierMaker, MlipEngine, run
from barriers.report.style import COLOURS, MARKERS, STYLE, figure_of, own_axes

ROOT = Path(__file__).resolve().parents[2]
NUMBERS = ROOT / "docs" / "data" / "published_hops.json"
PAGE, FIGURE = ROOT / "docs" / "validation.md", ROOT / "docs" / "images" / "published-hops.png"
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
        return row | {"forward": None, "reason": "; ".join(outcome.failures.values())}
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


def summary(rows: list[dict[str, Any]]) -> str:
    """Say in a line how far a model is off, over the hops that have a barrier."""
    known = [row for row in rows if row["forward"] is not None]
    off = [row["forward"] - row["published"] for row in known]
    rank = spearmanr([row["forward"] for row in known], [row["published"] for row in known]).statistic
    calls, seconds = (sum(row[key] for row in known) for key in ("force_calls", "seconds"))
    low = sum(each < 0 for each in off)
    return (
        f"{rows[0]['model']}: {len(known)} of {len(rows)} hops have a barrier; mean absolute error "
        f"{mean(map(abs, off)):.2f} eV, bias {mean(off):+.2f} eV, {low} of {len(off)} too low, "
        f"Spearman's rank correlation {rank:.2f}; {calls} force calls in {seconds / 60:.0f} min."
    )


def table(rows: list[dict[str, Any]]) -> str:
    """Markdown table of the numbers beside the published ones, and what they come to for each model."""
    lines = [
        "| hop | atoms | model | barrier (eV) | published DFT (eV) | difference (eV) | force calls |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        about = f"| {row['hop']} | {row['atoms']} | {row['model']} |"
        if row["forward"] is None:
            lines.append(f"{about} none: {row['reason']} | {row['published']:.2f} | | |")
            continue
        off = row["forward"] - row["published"]
        barrier = f"{row['forward']:.3f} ± {row['uncertainty']:.3f}"
        lines.append(f"{about} {barrier} | {row['published']:.2f} | {off:+.2f} | {row['force_calls']} |")
    of_models = [[row for row in rows if row["model"] == model] for model in sorted({row["model"] for row in rows})]
    return "\n".join([*lines, "", *map(summary, of_models)]) + "\n"


def draw(rows: list[dict[str, Any]]) -> None:
    """Draw each model's barriers over the published ones."""
    with rc_context(STYLE):
        axes = own_axes()
        for number, model in enumerate(sorted({row["model"] for row in rows})):
            known = [row for row in rows if row["model"] == model and row["forward"] is not None]
            of_dft, of_model = ([row[key] for row in known] for key in ("published", "forward"))
            axes.plot(of_dft, of_model, MARKERS[number], color=COLOURS[number], label=f"{model} ({len(known)})")
        axes.axline((0, 0), slope=1, color="0.6", lw=0.8, zorder=0)
        axes.set(xlabel="published DFT (eV)", ylabel="model (eV)", xlim=(0, None), ylim=(0, None))
        axes.legend()
        figure_of(axes).savefig(FIGURE, dpi=200)


def main() -> None:
    """Run the hops asked for, one after the other, and write each down as it is done."""
    parser = argparse.ArgumentParser(description="Published vacancy hops with a model of the embedded engine.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="chgnet")
    parser.add_argument("--only", metavar="NAME", help="one hop")
    asked = parser.parse_args()
    order = published(asked.folder)
    for name, dft in order.items():
        if asked.only not in (None, name):
            continue
        row = compute(name, dft, asked.folder, asked.model)
        done = json.loads(NUMBERS.read_text("utf-8")) if NUMBERS.exists() else []
        rows = [old for old in done if (old["hop"], old["model"]) != (name, asked.model)] + [row]
        rows.sort(key=lambda row: (row["model"], list(order).index(row["hop"])))
        NUMBERS.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", "utf-8")
        PAGE.write_text(TABLE.sub(table(rows), PAGE.read_text("utf-8")), "utf-8")
        draw(rows)


if __name__ == "__main__":
    main()
