"""Commands before anything is computed: write, check, build, and list what a study can choose from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from barriers.cli.app import Json, StudyFile, app, emit
from barriers.cli.terminal import by_figure, say

if TYPE_CHECKING:
    from pymatgen.core import Structure

    from barriers.structures.hop.hop import Hop
    from barriers.structures.network.network import Network
    from barriers.study.forms import CrystalStudy
    from barriers.study.models import Study


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="Where to write; made if it is not there.", metavar="DIR")] = Path(),
    only: Annotated[
        str | None, typer.Option(help="Write this example alone, such as ncm811_pvdf.", metavar="NAME")
    ] = None,
) -> None:
    """Write study files with every setting explained, and flows in Python, to start from.

    A study of your own is begun by `barriers new`.
    """
    from barriers.study.examples import FIRST, write_examples

    written = write_examples(folder, only)
    for path in written:
        say(path)
    study = next(path for path in written if path.name == f"{only or FIRST}.yaml")
    say(f"next: barriers check {study}")


@app.command()
def check(study_file: StudyFile, as_json: Json = False) -> None:
    """Validate a study and print its plan: systems, atoms, hops, jobs, expected time. Computes nothing."""
    from barriers.cli.lattice import foreseen
    from barriers.cli.matrix import show_plan
    from barriers.report.plan import plan_lines, plan_table
    from barriers.study.file import load_form
    from barriers.study.forms import MatrixStudy
    from barriers.workflow.plan import make_plan

    asked = load_form(study_file)
    if isinstance(asked, MatrixStudy):
        show_plan(asked, as_json)
        return
    study, lattice, warnings = foreseen(asked)
    plan = make_plan(study)
    plan = replace(plan, warnings=(*plan.warnings, *warnings), lattice=lattice)
    if as_json:
        emit(plan.as_json())
    else:
        emit(plan_table(plan))
        say("\n".join(plan_lines(plan)))


@app.command()
def build(
    study_file: StudyFile,
    folder: Annotated[Path | None, typer.Option("--out", help="Where to write.", metavar="DIR")] = None,
    as_json: Json = False,
) -> None:
    """Write the structures of a study as built, before any relaxation, and draw them. Computes no energy.

    Slab, placements and endpoints as extended XYZ, CIF and POSCAR, a table of them (CSV), a figure of each system from
    the side and the top, and a contact sheet (PNG and SVG). Of an ensemble, a folder for each member. Of polymer
    matrices, every box with its force field, and inputs of GROMACS and LAMMPS for it.
    """
    from barriers.cli.lattice import foreseen
    from barriers.cli.matrix import build_boxes
    from barriers.report.built import built_table, write_built
    from barriers.report.sheet import Drawn
    from barriers.structures.hop.hop import hop_ends
    from barriers.study.file import load_form
    from barriers.study.forms import MatrixStudy
    from barriers.workflow.built import build_members

    asked = load_form(study_file)
    target = folder or Path("results") / asked.name / "built"
    if isinstance(asked, MatrixStudy):
        build_boxes(asked, target, as_json)
        return
    study, _, warnings = foreseen(asked)
    written = {}
    members = build_members(study)
    _warn(warnings)
    for tag, built in members.items():
        drawn = {
            name: Drawn(first[0], {hop.name: hop_ends(first[0], hop) for hop in built.hops})
            for name, first in built.systems.items()
        }
        written[tag] = write_built(built.structures, drawn, target / tag)
    if as_json:
        emit(written.get("", written))
    else:
        for each in written.values():
            emit(built_table(each["structures"]))
        say(f"structures and figures in {target}")


@app.command()
def hops(
    study_file: StudyFile,
    kind: Annotated[str | None, typer.Option(help="vacancy, divacancy, interstitial or interstitialcy.")] = None,
    layer: Annotated[str | None, typer.Option(help="surface or sub-surface: the layer of both sites.")] = None,
    mechanism: Annotated[str | None, typer.Option(help="What the ion passes, e.g. 'oxygen dumbbell'.")] = None,
    length: Annotated[str | None, typer.Option(help="Least and largest length (Å).", metavar="A,B")] = None,
    depth: Annotated[
        str | None, typer.Option(help="Least and largest depth (Å), as in a study file: −z.", metavar="A,B")
    ] = None,
    draw: Annotated[
        Path | None,
        typer.Option(help="Draw them from side and top, on a slab numbered.", metavar="FILE.png", dir_okay=False),
    ] = None,
    as_json: Json = False,
) -> None:
    """List every distinct hop of a study's bare slab or crystal, or those that the options choose.

    Each has a name and a label. Both stand for that hop in a study file. The options are those of a study's `hops`.
    """
    from barriers.report.choices import hop_rows, hop_table
    from barriers.structures.hop.choice import select_hops
    from barriers.structures.hop.kinds import ADDED
    from barriers.structures.hop.search import find_hops
    from barriers.study.forms import CrystalStudy
    from barriers.workflow.crystal import hops_and_networks
    from barriers.workflow.own_slab import slab_for

    spans = {"length": _span("--length", length), "depth": _span("--depth", depth)}
    study = _with_hops(study_file)
    added = kind is None or kind in ADDED
    networks: list[Network] = []
    if isinstance(study, CrystalStudy):
        slab, found, networks = hops_and_networks(study, added)
    else:
        slab = slab_for(study).structure
        found = find_hops(slab)
    chosen = select_hops(found, layer=layer, mechanism=mechanism, kind=kind, **spans)  # type: ignore[arg-type]
    rows = hop_rows(found, chosen)
    lines: list[str] = []
    if networks:
        rows, lines = _of_crystal(rows, slab, networks, any(hop.empty for hop in found))
    figures = []
    if draw is not None:
        figures = _drawn(slab, chosen, networks, draw)
    if as_json:
        emit(rows)
    else:
        emit(hop_table(rows))
        for line in (*lines, *by_figure(figures)):
            say(line)


def _drawn(structure: Structure, chosen: Sequence[Hop], networks: Sequence[Network], file: Path) -> list[str]:
    """Draw hops of a slab, numbered, or of a crystal with those that are like them; give the files."""
    from barriers.report.style import save_figure
    from barriers.structures.hop.hop import hop_ends

    ends = {hop.label: hop_ends(structure, hop) for hop in chosen}
    if not networks:
        from barriers.report.figures.hops import draw_hops

        drawn = draw_hops(structure, ends)
    else:
        from barriers.report.crystal import crystal_scene, ways_of
        from barriers.report.figures.network import draw_network

        ways = {label: each for network in networks for label, each in ways_of(network).items() if label in ends}
        drawn = draw_network(crystal_scene(structure, ends, ways, networks[0].ion), {label: label for label in ends})
    return [str(path) for path in save_figure(drawn, file.with_suffix(""))]


def _of_crystal(
    rows: list[dict[str, Any]], crystal: Structure, networks: Sequence[Network], in_part: bool
) -> tuple[list[dict[str, Any]], list[str]]:
    """Add to the rows what a crystal's networks are; and say it, with the empty sites of an added ion."""
    from barriers.report.choices import network_words, void_words, with_networks
    from barriers.structures.hop.voids import find_voids

    lines = [network_words(network, in_part) for network in networks]
    added = [network.ion for network in networks if network.of_added]
    return with_networks(rows, networks), lines + [
        line for ion in added for line in void_words(find_voids(crystal, ion))
    ]


def _span(option: str, text: str | None) -> tuple[float, float] | None:
    """Read a range of two numbers."""
    if text is None:
        return None
    try:
        least, largest = map(float, text.split(","))
    except ValueError:
        raise ValueError(f"{option}: {text!r}; allowed: two numbers with a comma, e.g. 2.5,3") from None
    return least, largest


@app.command()
def terminations(study_file: StudyFile, as_json: Json = False) -> None:
    """List the distinct terminations of a study's facet: polar or not, broken bonds, coordination."""
    from barriers.report.choices import termination_rows, termination_table
    from barriers.structures.cathode.crystal import bulk
    from barriers.structures.surface.terminations import terminations as distinct
    from barriers.study.models import Study
    from barriers.workflow.slab_and_hops import crystal_of

    study = _with_hops(study_file)
    if not isinstance(study, Study):
        raise ValueError(f"{study_file}: a crystal has no facet; allowed: a study with a cathode and a surface")
    if study.slab is not None:
        raise ValueError(f"slab: {study.slab.file} ends as it is; allowed: a study with a cathode and a surface")
    rows = termination_rows(distinct(bulk(crystal_of(study.cathode)), study.surface.facet))
    emit(rows if as_json else termination_table(rows))


def _with_hops(study_file: Path) -> Study | CrystalStudy:
    """Read a study that finds its hops; one that names its endpoints has nothing to choose from."""
    from barriers.cli.lattice import foreseen
    from barriers.study.file import load_study
    from barriers.study.models import EndpointStudy

    study, _, warnings = foreseen(load_study(study_file))
    _warn(warnings)
    if isinstance(study, EndpointStudy):
        allowed = "a study with a cathode and a surface, or with a crystal"
        raise ValueError(f"{study_file}: names its endpoints itself; allowed: {allowed}")
    return study


def _warn(lines: tuple[str, ...]) -> None:
    for line in lines:
        say(f"! {line}", err=True)
