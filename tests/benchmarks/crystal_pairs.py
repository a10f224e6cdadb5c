"""Hops of published structure pairs as studies of their crystals: the same barrier as from the pair's two files?

``python tests/benchmarks/crystal_pairs.py FOLDER [--only NAME]`` takes the folder of ``published_hops.py``. Of each
pair it writes the crystal, the vacancy filled, with a study of two lines: the cell as it is, the hop by its two sites.
Each is run with ``barriers run``, those of the fewest atoms first, and continued where a run stopped; the span is
printed beside that of ``published_hops.json`` and as a table in ``docs/crystal.md``. A hop takes some minutes on two
cores.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from published_hops import NUMBERS, ROOT, published
from pymatgen.core import Structure

RESULTS = ROOT / "results" / "crystal_pairs"
PAGE = ROOT / "docs" / "crystal.md"
TABLE = re.compile(r"(?<=<!-- crystal pairs -->\n).*(?=<!-- end of crystal pairs -->)", re.DOTALL)
ALIKE = 0.005
"""Spans that differ by no more are the same (eV)."""


def write_study(name: str, folder: Path) -> Path:
    """Write the crystal of a pair and the study of its hop."""
    initial, final = (Structure.from_file(folder / name / f"{end}.vasp") for end in ("initial", "final"))
    steps = final.frac_coords - initial.frac_coords
    moves = initial.lattice.get_cartesian_coords(steps - np.rint(steps))
    ion = int(np.linalg.norm(moves, axis=1).argmax())
    symbol, start, end = initial[ion].specie.symbol, initial.frac_coords[ion], final.frac_coords[ion]
    initial.append(symbol, end)
    RESULTS.mkdir(parents=True, exist_ok=True)
    initial.get_sorted_structure().to(str(RESULTS / f"{name}.vasp"), fmt="poscar")
    crystal = f"{{file: {name}.vasp, ion: {symbol}, supercell: [1, 1, 1], relax: false}}"
    sites = f"from: {start.round(5).tolist()}, to: {end.round(5).tolist()}"
    study = RESULTS / f"{name}.yaml"
    study.write_text(f"name: {name}\ncrystal: {crystal}\nhops: [{{name: hop, {sites}}}]\n", encoding="utf-8")
    return study


def compute(study: Path) -> dict[str, Any]:
    """Run a study as a person does, and give the row of its hop."""
    command = [sys.executable, "-m", "barriers", "run", str(study), "--results", str(study.with_suffix("")), "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    told = json.loads(done.stdout or "{}")
    row: dict[str, Any] = told["barriers"][0] if "barriers" in told else {"span": None, "reason": str(told)}
    return row


def table(rows: dict[str, dict[str, Any]], of_pairs: dict[str, dict[str, Any]]) -> str:
    """Markdown table of both spans of each hop, and how many are the same."""
    lines = ["| hop | of the pair (eV) | of the crystal (eV) | difference (meV) |", "| --- | --- | --- | --- |"]
    alike = 0
    for name, row in rows.items():
        pair = of_pairs[name]["span"], of_pairs[name]["uncertainty"]
        here = row["span"], row.get("uncertainty")
        both = pair[0] is not None and here[0] is not None
        alike += both and abs(here[0] - pair[0]) <= ALIKE
        cells = [f"{span:.3f} ± {sd:.3f}" if span is not None else "none" for span, sd in (pair, here)]
        lines.append(f"| {name} | {cells[0]} | {cells[1]} | {f'{1000 * (here[0] - pair[0]):+.0f}' if both else ''} |")
    return "\n".join([*lines, "", f"- {alike} of {len(rows)} within {1000 * ALIKE:.0f} meV."]) + "\n"


def main() -> None:
    """Run what is asked for, print the table and write it into the docs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="NAME/initial.vasp, NAME/final.vasp, table.csv")
    parser.add_argument("--only", help="one hop of it")
    asked = parser.parse_args()
    of_pairs = {row["hop"]: row for row in json.loads(NUMBERS.read_text("utf-8")) if row["model"] == "chgnet"}
    known = RESULTS / "rows.json"
    rows = json.loads(known.read_text("utf-8")) if known.is_file() else {}
    for name in published(asked.folder):
        if asked.only in (None, name) and name not in rows:
            rows[name] = compute(write_study(name, asked.folder))
            known.write_text(json.dumps(rows), encoding="utf-8")
            print(name, rows[name]["span"], of_pairs[name]["span"], rows[name]["reason"], flush=True)
    said = table(rows, of_pairs)
    print(said)
    PAGE.write_text(TABLE.sub(lambda _: said, PAGE.read_text("utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
