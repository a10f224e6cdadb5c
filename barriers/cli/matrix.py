"""What `check` and `build` say of polymer matrices."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from barriers.cli.app import emit, working
from barriers.cli.terminal import say

if TYPE_CHECKING:
    from barriers.study.forms import MatrixStudy


def show_plan(study: MatrixStudy, as_json: bool) -> None:
    """Print what the boxes of a study are made of and what they will cost."""
    from barriers.report.boxes import boxes_json, boxes_lines, boxes_table
    from barriers.workflow.matrix import plan_matrices

    plan = plan_matrices(study)
    if as_json:
        emit(boxes_json(study, plan))
        return
    emit(boxes_table(plan))
    say("\n".join(boxes_lines(study, plan)))


def build_boxes(study: MatrixStudy, target: Path, as_json: bool) -> None:
    """Build every box of a study, and write it with inputs of GROMACS and LAMMPS."""
    from barriers.files.boxes import write_box
    from barriers.files.gromacs import write_gromacs
    from barriers.files.lammps import write_lammps
    from barriers.files.structures import stem
    from barriers.workflow.matrix import boxes

    written = []
    with working("building boxes"):
        for box in boxes(study):
            folder = target / f"{stem(box.document.system)}-{box.document.number}"
            files = write_box(box, folder)
            for temperature in study.matrix.temperature:
                files += write_gromacs(box, folder / f"gromacs-{temperature:g}K", temperature)
                files += write_lammps(box, folder / f"lammps-{temperature:g}K", temperature)
            written.append({"folder": str(folder), "files": [str(file) for file in files]})
    if as_json:
        emit(written)
        return
    for each in written:
        say(f"{each['folder']}: {len(each['files'])} files")
    say(f"boxes, and inputs of GROMACS and LAMMPS, in {target}")
