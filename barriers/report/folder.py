"""A study's results folder: what is written when a run ends, and how it is read again."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from monty.json import MontyEncoder
from pydantic import ValidationError

from barriers.disk import writes_folder
from barriers.dispatch.marker import MARKER
from barriers.dispatch.states import JobStates
from barriers.documents import OLDEST_READABLE, SCHEMA_VERSION, BarrierDoc, StudyDoc
from barriers.files.structures import kind_of_hop, stem, write_band, write_structure
from barriers.report.beside import electrons_folder, write_beside
from barriers.report.comparison import write_comparison
from barriers.report.ensemble import write_pairs
from barriers.report.tables import write_csv

DOCUMENT = "study.json"


@writes_folder
def write_results(study: StudyDoc, folder: Path) -> list[Path]:
    """Write document, table, figures and structures of a study.

    Parameters
    ----------
    study : StudyDoc
        The outcome.
    folder : Path
        Made if it is not there.

    Returns
    -------
    list[Path]
        What was written: ``study.json``, ``barriers.csv``, ``comparison.csv``, ``.json`` and ``.tex``, a figure for
        each hop (PNG, SVG, PDF), and for each barrier its band (extended XYZ) and initial endpoint (POSCAR). Gaps have
        their rows in the tables, and the figures say how many of how many systems they show. Where barriers were
        corrected at single points, ``points.extxyz`` holds these. Of an ensemble also ``ensemble.csv`` and its figure.
        What was asked for beside barriers: ``adsorption.csv``, ``lithium.csv``, ``reactions.csv``, ``rates.csv``,
        ``published.csv``.
    """
    from barriers.files.exports import write_points
    from barriers.report.figures.ensemble import draw_distribution
    from barriers.report.style import save_figure

    folder.mkdir(parents=True, exist_ok=True)
    document, table = folder / DOCUMENT, folder / "barriers.csv"
    document.write_text(json.dumps(study, cls=MontyEncoder), "utf-8")
    write_csv(study, table)
    written = [document, table, *write_comparison(study, folder), *write_profiles(study, folder)]
    if study.ensemble and study.ensemble.distributions:
        written += write_pairs(study.ensemble, folder / "ensemble.csv")
        written += save_figure(draw_distribution(study.ensemble, study.which), folder / "ensemble")
    written += write_beside(study, folder)
    points = folder / "points.extxyz"
    if write_points(study, points):
        written.append(points)
    structures = folder / "structures"
    structures.mkdir(exist_ok=True)
    for barrier in study.barriers:
        if not len(barrier.band.structure):
            continue  # a band of others whose files tell no atoms
        name = stem(barrier.system, barrier.hop_name)
        band, initial = structures / f"{name}.extxyz", structures / f"{name}-initial.vasp"
        write_band(barrier.band, band)
        write_structure(barrier.band.structure, initial)
        written += [band, initial]
    return written


def write_profiles(study: StudyDoc, folder: Path) -> list[Path]:
    """Draw the profiles of each hop over each other; none where no band is converged."""
    from barriers.report.figures import draw_profiles, save_figure
    from barriers.report.figures.labels import say_how_many

    wanted = Counter(row.hop for row in study.rows)
    return [
        path
        for hop, barriers in _by_hop(study).items()
        if any(barrier.profile for barrier in barriers)
        for path in save_figure(
            say_how_many(draw_profiles(barriers), len(barriers), wanted[hop]),
            folder / kind_of_hop("profiles", hop),
        )
    ]


@writes_folder
def write_figures(study: StudyDoc, folder: Path) -> list[Path]:
    """Draw everything that can be drawn of a study, each figure as PNG, SVG and PDF.

    Parameters
    ----------
    study : StudyDoc
        The outcome.
    folder : Path
        A results folder. The profiles of each hop over each other go into it, everything else into its ``figures``.

    Returns
    -------
    list[Path]
        What was written: for each hop ``profiles`` and ``states``, for each system and hop ``profile``, ``path`` and
        ``convergence``; of a crystal ``hops``, all of them in it; of an ensemble its distribution and maps; of
        electrons what is in ``electrons``. Bands that are not converged have no profile, those never started no
        convergence.
    """
    from barriers.report.crystal import study_scene
    from barriers.report.figures import draw_convergence, draw_path, draw_profile, draw_states, save_figure
    from barriers.report.figures.ensemble import draw_distribution, draw_maps
    from barriers.report.figures.labels import say_how_many

    figures = folder / "figures"
    figures.mkdir(exist_ok=True)
    written = write_profiles(study, folder)
    if study.ensemble and study.ensemble.distributions:
        written += save_figure(draw_distribution(study.ensemble, study.which), folder / "ensemble")
        for names, (side, _) in draw_maps(study):
            written += save_figure(side, figures / f"map-{stem(*names)}")
    wanted = Counter(row.hop for row in study.rows)
    for hop, barriers in _by_hop(study).items():
        if any(barrier.profile for barrier in barriers):
            states = say_how_many(draw_states(barriers), len(barriers), wanted[hop])
            written += save_figure(states, figures / kind_of_hop("states", hop))
        for barrier in barriers:
            name = stem(barrier.system, hop)
            if barrier.profile:
                written += save_figure(draw_profile(barrier), figures / f"profile-{name}")
            if barrier.band.history:
                written += save_figure(draw_convergence(barrier)[0], figures / f"convergence-{name}")
            if len(barrier.band.structure):
                written += save_figure(draw_path(barrier)[0], figures / f"path-{name}")
    if (seen := study_scene(study)) is not None:
        from barriers.report.figures.network import draw_network

        written += save_figure(draw_network(*seen), folder / "hops")
    if study.network is not None:
        from barriers.report.network import draw_diffusion

        written += draw_diffusion(study.network, folder / "diffusion")
    for row in study.electrons:
        if row.document is not None:
            from barriers.report.density import draw_electrons

            place = electrons_folder(row, folder)
            place.mkdir(parents=True, exist_ok=True)
            written += draw_electrons(row.document, place)
    return written


def _by_hop(study: StudyDoc) -> dict[str, list[BarrierDoc]]:
    hops: dict[str, list[BarrierDoc]] = {}
    for barrier in study.barriers:
        hops.setdefault(barrier.hop_name, []).append(barrier)
    return hops


def read_results(folder: Path | str) -> StudyDoc:
    """Read a study's document back; of a run that has not ended, put together what is there so far.

    Raises
    ------
    ValueError
        One line, if the folder holds no results or those of another schema version.
    """
    path = Path(folder)
    path = path / DOCUMENT if path.is_dir() else path
    states = [state.state for state in JobStates(path.parent).read()]
    left = states.count("waiting") + states.count("running")
    if left or (states and not path.is_file()):
        from barriers.report.so_far import so_far  # builds the study, which what has ended does without

        if (found := so_far(path.parent)) is not None:
            return found
    if not path.is_file():
        raise ValueError(f"{folder}: no results here ({DOCUMENT}); {_way_on(path.parent)}")
    try:
        content = json.loads(path.read_text("utf-8"))
        if content.get("schema_version") not in range(OLDEST_READABLE, SCHEMA_VERSION + 1):
            raise ValueError(f"schema version {content.get('schema_version')}, this barriers reads {SCHEMA_VERSION}")
        study = StudyDoc.model_validate(content)
    except (ValidationError, ValueError, AttributeError) as error:
        raise ValueError(f"{path}: not a study's document: {str(error).splitlines()[0]}") from error
    if left:
        study.notes.append(
            f"the last run in {path.parent} has not ended, {left} of {len(states)} jobs are left: "
            "these are the numbers of the run before it"
        )
    return study


def _way_on(folder: Path) -> str:
    """Say what writes results here."""
    if (folder / MARKER).is_file():
        return "the study was submitted: `barriers collect STUDY` writes those that are there"
    return "`barriers run` or `barriers neb` writes them"
