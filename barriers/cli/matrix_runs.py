"""What `run`, `collect` and `show` do with polymer matrices."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from barriers.cli.app import NOT_CONVERGED, emit, fail, say_failures, watch
from barriers.cli.terminal import say, this_command

if TYPE_CHECKING:
    from barriers.study.forms import MatrixStudy
    from barriers.workflow.matrix_documents import MatrixStudyDoc


def matrices_of(folder: Path) -> MatrixStudyDoc | None:
    """Read a study of matrices; None where a folder has another study's results. Loads nothing for the latter."""
    study = folder / "study.yaml"
    written = study.read_text("utf-8").splitlines() if study.is_file() else []
    if not (folder / "matrices.json").is_file() and not any(line.startswith("matrix:") for line in written):
        return None
    from barriers.report.matrix_folder import read_matrices

    return read_matrices(folder)


def run_matrices(study: MatrixStudy, folder: Path, workers: int, study_file: Path, as_json: bool) -> None:
    """Run the boxes of a study here, or go on where an earlier run stopped."""
    from barriers.engines.openff.needs import check_here
    from barriers.engines.openmm.system import openmm
    from barriers.workflow.matrix_runs import MatrixMaker

    check_here()
    openmm()
    outcome = watch(MatrixMaker().make(study), folder, workers, study_file)
    document: MatrixStudyDoc | None = outcome.output
    if document is None:
        fail(outcome, folder)
        return
    say_failures(outcome, folder)
    finish_matrices(document, folder, as_json)


def finish_matrices(document: MatrixStudyDoc, folder: Path, as_json: bool) -> None:
    """Write results and print them; exit with 1 where runs are missing."""
    from barriers.report.matrix_folder import write_matrices

    write_matrices(document, folder)
    show_matrices(document, folder, as_json)
    if document.missing:
        runs = sum(each.boxes for each in document.conditions)
        say(f"{document.missing} of {runs} runs not there; this continues it: {this_command()}", err=True)
        raise typer.Exit(NOT_CONVERGED)


def show_matrices(document: MatrixStudyDoc, folder: Path, as_json: bool) -> None:
    """Print the transport in each matrix, and matrices beside each other."""
    from barriers.report.matrices import matrices_table
    from barriers.report.matrix_folder import conditions_table, matrices_json, matrix_sentences

    if as_json:
        emit(matrices_json(document) | {"results": str(folder)})
        return
    emit(conditions_table(document))
    for row in document.beside:
        if row.document is not None:
            say(f"{row.system} beside {document.reference}, {row.temperature:g} K")
            emit(matrices_table(row.document))
    say("\n".join(matrix_sentences(document)))
    say(f"results in {folder}")
