"""A study of matrices: its results folder, its table and its sentences."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from monty.json import MontyEncoder
from pydantic import ValidationError
from rich.table import Table

from barriers.analysis.trajectory.regime import duration
from barriers.disk import writes_folder
from barriers.dispatch.states import JobStates
from barriers.engines.openmm.documents import MdDoc
from barriers.files.structures import stem, write_structure
from barriers.report.html.origin import STUDY_FILE
from barriers.report.transport import CRITERION, cells_of, sentences, write_transport
from barriers.workflow.matrix_documents import NOT_YET, ConditionDoc, MatrixStudyDoc

DOCUMENT = "matrices.json"


def name_of(condition: ConditionDoc) -> str:
    """Name a matrix at a temperature."""
    return f"{condition.system}, {condition.temperature:g} K"


def conditions_table(document: MatrixStudyDoc) -> Table:
    """Lay out the ion's motion in each matrix at each temperature, a row each."""
    table = Table(header_style="bold", caption=CRITERION, caption_justify="left")
    for heading in (
        "Matrix",
        "T (K)",
        "Boxes",
        "g/cm³",
        "Run",
        "Window (ps)",
        "α",
        "MSD (Å²)",
        "D (cm²/s)",
        "Free (%)",
    ):
        table.add_column(heading, justify="left" if heading == "Matrix" else "right", no_wrap=True)
    for each in document.conditions:
        found = each.transport
        start = [each.system, f"{each.temperature:g}", f"{each.done} of {each.boxes}"]
        if found is None:
            table.add_row(*start)
            continue
        spread = found.matrix.density_spread
        density = f"{found.matrix.density:.3f}" + ("" if spread is None else f" ± {spread:.3f}")
        free = "" if found.pairing is None else f"{100 * found.pairing.free:.0f} ± {100 * found.pairing.errors[0]:.0f}"
        table.add_row(*start, density, duration(found.length), *cells_of(found.motions[0]), free)
    return table


def matrix_sentences(document: MatrixStudyDoc) -> list[str]:
    """Say in words what stands in no table."""
    lines = []
    for each in document.conditions:
        of = [] if each.transport is None else sentences(each.transport)
        lines += [f"{name_of(each)}: {line}" for line in [*of, *[each.reason] * bool(each.reason)] if line]
    for row in document.beside:
        words = row.document.sentence if row.document is not None else f"not compared: {row.reason}"
        lines.append(f"{row.system} beside {document.reference}, {row.temperature:g} K: {words}")
    lines += [f"{each.system}: {each.sentence}" for each in document.series]
    if document.runs:
        speed = [run.ns_per_day for run in document.runs]
        platforms = ", ".join(dict.fromkeys(run.platform for run in document.runs))
        lines.append(f"{min(speed):.3g} to {max(speed):.3g} ns/day for each run ({platforms})")
    return lines


def matrices_json(document: MatrixStudyDoc) -> dict[str, Any]:
    """Give all numbers and sentences, ready for JSON."""
    content: dict[str, Any] = json.loads(json.dumps(document, cls=MontyEncoder))
    for each in content["conditions"]:
        each.pop("snapshot")
    return content | {"sentences": matrix_sentences(document)}


@writes_folder
def write_matrices(document: MatrixStudyDoc, folder: Path) -> list[Path]:
    """Write a study's document, and of each matrix at each temperature tables, figures and the last frame."""
    folder.mkdir(parents=True, exist_ok=True)
    written = [folder / DOCUMENT]
    written[0].write_text(json.dumps(document, cls=MontyEncoder), "utf-8")
    for each in document.conditions:
        place = folder / stem(each.system, f"{each.temperature:g}K")
        if each.transport is not None:
            written += write_transport(each.transport, place)
        if each.snapshot is not None:
            place.mkdir(exist_ok=True)
            write_structure(each.snapshot, place / "snapshot.cif")
            written.append(place / "snapshot.cif")
    return written


def read_matrices(folder: Path) -> MatrixStudyDoc | None:
    """Read a study of matrices back, or put together what its run has given so far; None of another study.

    Raises
    ------
    ValueError
        One line, if its document cannot be read.
    """
    folder = folder if folder.is_dir() else folder.parent
    states = [state.state for state in JobStates(folder).read()]
    if "waiting" in states or "running" in states or not (folder / DOCUMENT).is_file():
        return _so_far(folder)
    try:
        return MatrixStudyDoc.model_validate_json((folder / DOCUMENT).read_text("utf-8"))
    except ValidationError as error:
        raise ValueError(f"{folder / DOCUMENT}: not a study's document: {str(error).splitlines()[0]}") from error


def _so_far(folder: Path) -> MatrixStudyDoc | None:
    from barriers.dispatch.matrices import gathered
    from barriers.dispatch.store import results_store
    from barriers.study.file import load_form
    from barriers.study.forms import MatrixStudy

    if not (folder / STUDY_FILE).is_file() or not isinstance(study := load_form(folder / STUDY_FILE), MatrixStudy):
        return None
    store = results_store(folder)
    messages = {state.uuid: state.message for state in JobStates(folder).read()}

    def result(job: Any) -> MdDoc | str:
        found = store.query_one({"uuid": job.uuid}, load=True)
        return (messages.get(job.uuid) or NOT_YET) if found is None else MdDoc.model_validate(found["output"])

    return gathered(study, "", result)
