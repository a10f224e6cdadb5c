"""The command on trajectories that anyone made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from barriers.cli.app import Json, app, emit, working
from barriers.cli.terminal import say

if TYPE_CHECKING:
    from barriers.analysis.trajectory.documents import TransportDoc
    from barriers.report.matrices import Beside


@app.command()
def transport(
    files: Annotated[
        list[Path],
        typer.Argument(help="Trajectories of independently made boxes of one matrix, at fixed volume.", metavar="FILE"),
    ],
    ion: Annotated[str, typer.Option(help="Element whose motion is looked at.", metavar="ELEMENT")] = "Li",
    timestep: Annotated[
        float | None,
        typer.Option(
            help="Time between frames (ps), not the integrator's: where files hold none (XYZ, DCD, LAMMPS dumps).",
            metavar="PS",
        ),
    ] = None,
    topology: Annotated[
        Path | None,
        typer.Option(help="Elements and bonds of XTC, TRR, DCD: TPR, PSF, PDB or LAMMPS data.", metavar="FILE"),
    ] = None,
    temperature: Annotated[
        float | None, typer.Option(help="Of the runs (K): for conductivity and comparisons.", metavar="K", min=0.0)
    ] = None,
    beside: Annotated[
        list[Path] | None,
        typer.Option(
            help="transport.json of an earlier call: the same matrix at another temperature (Arrhenius), or another "
            "matrix (compared, if like with like). May be given several times.",
            metavar="FILE",
        ),
    ] = None,
    to: Annotated[
        Path | None, typer.Option("--to", help="Write tables (CSV), figures and transport.json there.", metavar="DIR")
    ] = None,
    as_json: Json = False,
) -> None:
    """Read off trajectories how an ion moves in a matrix, whether it diffuses at all, and with whom it moves.

    A diffusion coefficient is given only where the mean squared displacement grows as time does (exponent between 0.9
    and 1.1 over a decade of lag) and is above 25 Å² there; else it is said what is seen instead, and how long a run
    would be needed. Then come shells, pairing with anions, residence times, and one sentence about the mechanism.

    Three boxes from GROMACS: `barriers transport box1.xtc box2.xtc box3.xtc --topology box.tpr --temperature 450 --to
    pvdf`. One from LAMMPS, compared with them: `barriers transport run.lammpstrj --timestep 2 --temperature 450
    --beside pvdf/transport.json`.
    """
    from barriers.analysis.trajectory.result import transport as analyse
    from barriers.files.trajectory import read_trajectory
    from barriers.report.matrices import put_beside
    from barriers.report.transport import transport_json, write_transport

    earlier = [_earlier(path) for path in beside or []]
    with working("reading trajectories"):
        boxes = [read_trajectory(file, topology, timestep) for file in files]
    with working("following ions"):
        document = analyse(boxes, ion, temperature)
    others = put_beside(document, earlier)
    written = [] if to is None else write_transport(document, to)
    if as_json:
        emit(transport_json(document) | others.as_json() | {"written": [str(path) for path in written]})
    else:
        _show(document, others)
        if to is not None:
            say(f"{len(written)} files in {to}")


def _earlier(path: Path) -> TransportDoc:
    from barriers.analysis.trajectory.documents import TransportDoc

    try:
        return TransportDoc.model_validate_json(path.read_text("utf-8"))
    except ValueError as error:
        raise ValueError(f"--beside: {path} is no transport.json; allowed: one that --to has written") from error


def _show(document: TransportDoc, others: Beside) -> None:
    from barriers.report.matrices import matrices_table
    from barriers.report.transport import motions_table, notes, sentences, shells_table

    emit(motions_table(document))
    if document.shells:
        emit(shells_table(document))
    say("\n".join(sentences(document)))
    for comparison in others.comparisons:
        emit(matrices_table(comparison))
    for line in others.lines:
        say(line)
    for note in notes(document):
        say(f"! {note}")
