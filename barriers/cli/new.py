"""The command that begins a study of the user's own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from barriers.cli.app import app
from barriers.cli.terminal import say


@app.command()
def new(
    path: Annotated[
        Path | None,
        typer.Argument(help="Study file to write; named after its content if left out.", metavar="FILE"),
    ] = None,
    cathode: Annotated[str | None, typer.Option(help="Cathode on file, its formula, or a CIF; NCM811.")] = None,
    facet: Annotated[str | None, typer.Option(help="Miller indices, such as 104 or 1,0,-4; 104.")] = None,
    polymer: Annotated[
        str | None, typer.Option(help="Polymer on file, or its repeat unit as SMILES; none: the bare slab alone.")
    ] = None,
    eliminate: Annotated[
        str | None, typer.Option(help="Molecule that the polymer loses in a further system, such as HF of PVDF.")
    ] = None,
    engine: Annotated[str | None, typer.Option(help="mlip, espresso or vasp; mlip.")] = None,
) -> None:
    """Write a study of your own, every setting explained: a bare slab, and with a fragment on it.

    Asks for what no option says when it runs in a terminal; elsewhere what is left out has the usual value. The file is
    edited with any editor; `barriers check FILE` says what it will compute.
    """
    from barriers.study.begun import begin_study, eliminated_from, write_study
    from barriers.study.engines import KINDS
    from barriers.study.marks import names_on_file

    cathode = _ask(cathode, f"Cathode ({', '.join(names_on_file('cathodes'))}, a formula or a CIF)", "NCM811")
    facet = _ask(facet, "Facet", "104")
    polymer = _ask(polymer, f"Polymer ({', '.join(names_on_file('polymers'))}, or SMILES; empty: none)", "")
    if polymer and (known := eliminated_from(polymer)):
        eliminate = _ask(eliminate, f"What it loses in a further system ({', '.join(known)}; empty: nothing)", "")
    engine = _ask(engine, f"Engine ({', '.join(KINDS)})", "mlip")
    study = begin_study(cathode, facet, polymer or None, eliminate or None, engine, path.stem if path else None)
    written = write_study(study, path or Path(f"{study.name}.yaml"))
    say(f"wrote {written}\nnext: barriers check {written}")


def _ask(given: str | None, question: str, usual: str) -> str:
    """Take what an option says; else ask whoever sits at the terminal; else the usual answer."""
    if given is not None or not sys.stdin.isatty():
        return usual if given is None else given
    answer: str = typer.prompt(question, usual, show_default=usual != "")
    return answer
