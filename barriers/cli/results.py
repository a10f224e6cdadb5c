"""Commands on what is there: results folders, calculations and models."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from barriers.cli.app import Json, Results, ResultsFolder, app, emit, show_study
from barriers.cli.terminal import by_figure, say


@app.command()
def show(folder: ResultsFolder, as_json: Json = False) -> None:
    """Print the barriers of a results folder, or the transport in matrices, as far as it is there."""
    from barriers.cli.matrix_runs import matrices_of, show_matrices

    if (matrices := matrices_of(folder)) is not None:
        show_matrices(matrices, folder, as_json)
        return
    from barriers.report.folder import read_results
    from barriers.report.tables import study_json

    document = read_results(folder)
    if as_json:
        emit(study_json(document))
    else:
        show_study(document, folder)


@app.command()
def plot(folder: ResultsFolder, as_json: Json = False) -> None:
    """Draw all figures of a results folder again (PNG, SVG and PDF).

    Profiles and states of each hop; profile, path and convergence of each system; electrons of each structure.
    """
    from barriers.report.folder import read_results, write_figures

    written = [str(path) for path in write_figures(read_results(folder), folder)]
    if not written:
        raise ValueError(f"{folder}: nothing to draw")
    emit(written) if as_json else say("\n".join(by_figure(written)))


@app.command()
def rates(
    folder: ResultsFolder,
    temperatures: Annotated[
        str | None,
        typer.Option(
            "--temperatures",
            help="Temperatures (K), with commas between them; else the study's, or 250,300,350,400.",
            metavar="T,T,…",
        ),
    ] = None,
    attempt_frequency: Annotated[
        float | None,
        typer.Option(
            help="Attempt frequency of all systems (Hz); else those that the study's `kinetics` computed, or 1e13.",
            min=1.0,
        ),
    ] = None,
    directions: Annotated[
        int | None,
        typer.Option(help="For D: sites that the ion can jump to with this barrier, 6 in a bulk layer.", min=2, max=12),
    ] = None,
    dimensions: Annotated[
        int | None, typer.Option(help="For D: dimensions of the network of such sites, 2 in a layer.", min=1, max=3)
    ] = None,
    as_json: Json = False,
) -> None:
    """Say what the barriers mean for transport: jump rates, diffusion coefficients, ratios, and an Arrhenius plot."""
    from barriers.analysis.kinetics import NOT_INCLUDED
    from barriers.report.folder import read_results
    from barriers.report.rates import network_line, rate_rows, rate_table, write_arrhenius
    from barriers.report.tables import study_notes

    try:
        wanted = [float(text) for text in temperatures.split(",")] if temperatures is not None else None
    except ValueError:
        raise ValueError(f"--temperatures: {temperatures!r}; allowed: numbers with commas, e.g. 250,300,350") from None
    if (directions is None) != (dimensions is None):
        raise ValueError("--directions, --dimensions: one without the other; allowed: both, or none and no D")
    study, network = read_results(folder), (directions, dimensions) if directions else None
    rows = rate_rows(study, wanted, attempt_frequency, network)  # type: ignore[arg-type]
    if not rows:
        raise ValueError(f"{folder}: no barrier to make a rate of")
    several = len({row["temperature"] for row in rows}) > 1
    figures = [str(path) for path in write_arrhenius(rows, study, folder)] if several else []
    if as_json:
        gaps, lines = [gap.model_dump() for gap in study.gaps], study_notes(study)
        emit({"rows": rows, "gaps": gaps, "notes": lines, "not_included": NOT_INCLUDED, "figures": figures})
    else:
        emit(rate_table(rows))
        say(network_line(study, network))  # type: ignore[arg-type]
        for line in study_notes(study):
            say(f"! {line}")
        say("\n".join(["not included:", *(f"- {line}" for line in NOT_INCLUDED), *by_figure(figures)]))


@app.command()
def report(folder: ResultsFolder, as_json: Json = False) -> None:
    """Write one page (HTML) that shows the results: comparison, profiles, bands in 3-D, provenance. Opens offline."""
    from barriers.cli.matrix_runs import matrices_of

    if (matrices := matrices_of(folder)) is not None:
        from barriers.report.html.matrices import write_matrices_page

        page = str(write_matrices_page(matrices, folder))
    else:
        from barriers.report.folder import read_results
        from barriers.report.html.page import write_report

        page = str(write_report(read_results(folder), folder if folder.is_dir() else folder.parent))
    emit([page]) if as_json else say(page)


@app.command()
def explain(
    what: Annotated[
        list[str],
        typer.Argument(
            help="One calculation, or two to compare: RESULTS/SYSTEM/HOP, RESULTS/JOB, a job's folder, or the "
            "beginning of a key or uuid. A results folder alone lists its calculations.",
            metavar="WHAT [OTHER]",
        ),
    ],
    results: Results = Path("results"),
    as_json: Json = False,
) -> None:
    """Print what a result was computed from: its key is a digest of that; of two, print what they differ in.

    A result is taken instead of computed when its key is the same. `barriers explain results/my_study/NCM/sub-surface`
    prints settings, checksums of weights or pseudopotentials, and digests of the structures behind a barrier's band.
    Two results that should be one: `barriers explain KEY OTHER_KEY` says what keeps them apart.
    """
    from barriers.dispatch.explain import find_calculations
    from barriers.report.explain import difference_rows, differences_table, explained_table, listed_table, parts

    if len(what) > 2:
        raise ValueError(f"{len(what)} calculations given; allowed: one, or two to compare")
    found = [find_calculations(each, results) for each in what]
    if several := [(name, each) for name, each in zip(what, found, strict=True) if len({one.key for one in each}) > 1]:
        if len(what) == 2:
            raise ValueError(f"{several[0][0]}: {len(several[0][1])} calculations; name one by its key or its job")
        emit([asdict(one) for one in found[0]] if as_json else listed_table(found[0]))
        return
    one, *others = (each[-1] for each in found)
    if not others:
        emit(asdict(one) | {"parts": parts(one)} if as_json else explained_table(one))
    elif rows := difference_rows(one, others[0]):
        emit(rows if as_json else differences_table(one, others[0]))
    else:
        emit([]) if as_json else say("the same calculation: nothing differs in what their keys are made of")


@app.command()
def models(as_json: Json = False) -> None:
    """List the embedded engine's models, and which are ready here."""
    from barriers.engines.mlip.models import list_models
    from barriers.report.plan import models_table

    rows = list_models()
    emit(rows if as_json else models_table(rows))
