"""Putting the page together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from barriers.disk import writing
from barriers.distribution import versions
from barriers.documents import BarrierDoc, StudyDoc
from barriers.report.beside import beside_notes, sheets
from barriers.report.corrected import corrected_numbers
from barriers.report.figures.labels import title
from barriers.report.html import convergence as converging
from barriers.report.html.chart import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, chart
from barriers.report.html.library import library
from barriers.report.html.network import network_scene
from barriers.report.html.origin import commands, engines, packages, settings
from barriers.report.html.pictures import electron_pictures, pictures
from barriers.report.html.saves import save, saves
from barriers.report.html.scene import scene
from barriers.report.html.slab import facts
from barriers.report.lattice import lattice_lines
from barriers.report.methods import bibtex, methods, write_methods
from barriers.report.numbers import energy, shown, signed, written_uncertainty
from barriers.report.trust import in_short, model_lines
from barriers.report.uncertainty import meaning

PAGE = "report.html"

SCRIPTS = ("viewer", "density", "profile", "panel", "page")
"""The page's own scripts, in the order in which they need each other."""

DIGITS = 5
"""Digits after the point of energies (eV) and path lengths (Å) that the page's curves hold."""


def write_report(study: StudyDoc, folder: Path) -> Path:
    """Write a study's page into its results folder.

    The page holds all it shows: it asks no server for anything, and is the same to the byte for the same study.

    Parameters
    ----------
    study : StudyDoc
        The outcome of a study.
    folder : Path
        Its results folder; ``study.yaml`` in it says which settings differ from the defaults.

    Returns
    -------
    Path
        The page, ``report.html``. Beside it lie ``methods.md`` and ``references.bib``.

    Raises
    ------
    ValueError
        One line, if the page cannot be written.
    """
    text = render_page(study, folder)
    path = folder / PAGE
    with writing(path):
        path.write_text(text, "utf-8")
    write_methods(study, folder)
    return path


def render_page(study: StudyDoc, folder: Path) -> str:
    """Give the text of the page; see :func:`write_report`."""
    said = methods(study)
    cites = bibtex(said)
    changed, study_file = settings(study, folder)
    hops: dict[str, list[int]] = {row.hop: [] for row in study.rows}
    places = {(barrier.system, barrier.hop_name): number for number, barrier in enumerate(study.barriers)}
    for (_, hop), number in places.items():
        hops[hop].append(number)
    template = environment().get_template("page.html.j2")
    return template.render(
        study=study,
        rows=[(row, barrier, places.get((row.system, row.hop))) for row, barrier in study.paired()],
        titles=[title(barrier) for barrier in study.barriers],
        hops=[hop for hop in hops if hop],
        corrected=any(barrier.points for barrier in study.barriers),
        corrected_numbers=corrected_numbers,
        meaning=meaning(study),
        models=model_lines(study.barriers),
        methods=said,
        references=cites,
        several=len({row.system for row in study.rows}) > 1,
        wanted=Counter(row.hop for row in study.rows),
        overlays={hop: chart(study.barriers, which) for hop, which in hops.items() if len(which) > 1},
        pictures=pictures(study),
        network_scene=network_scene(study),
        sheets=sheets(study),
        electron_pictures=electron_pictures(study),
        beside_notes=beside_notes(study),
        paper=[save("methods.md", "methods.md", said), save("references.bib", "references.bib", cites)],
        facts=list(facts(study)),
        engines=engines(study),
        lattice_lines=list(lattice_lines(study.lattice)) if study.lattice else [],
        packages=packages(study),
        settings=changed,
        study_file=study_file,
        commands=commands(study, study_file is not None),
        library={name: Markup(text) for name, text in library()._asdict().items()},
        version=versions()["barriers"],
        style=page_style(),
        scripts=[_text(f"{name}.js") for name in SCRIPTS],
        **_of_sections(study.barriers),
    )


def render_section(barrier: BarrierDoc, heading: str) -> str:
    """Give the page's section on one barrier, under a heading, and its entry in the page's data: ``html``, ``data``.

    The barrier may be of a band that is on its way. What is given is JSON.
    """
    template = environment().get_template("section.json.j2")
    return template.render(barrier=barrier, heading=heading, **_of_sections([barrier]))


def page_scripts(own: Sequence[str] = SCRIPTS) -> str:
    """Give all that the page's views and drawings run on: the library with its licence, then the page's own scripts."""
    known = library()
    return "\n".join([f"/*\n{known.notices}\n*/", known.script, *(_text(f"{name}.js") for name in own)])


def page_style() -> Markup:
    """Give the style of pages."""
    return _text("page.css")


def environment() -> Environment:
    """Give what fills in the templates of pages."""
    environment = Environment(
        loader=PackageLoader("barriers.report", "html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "energy": energy,
        "signed": signed,
        "spread": lambda value: shown(written_uncertainty(value)),
    }
    return environment


def _of_sections(barriers: list[BarrierDoc]) -> dict[str, Any]:
    """Give what the sections on barriers are made of."""
    return {
        "model": in_short,
        "charts": [chart(barriers, [number]) for number in range(len(barriers))],
        "data": [
            {"scene": scene(barrier) if len(barrier.band.structure) else None, "profile": _curve(barrier)}
            for barrier in barriers
        ],
        "frame": {"width": WIDTH, "height": HEIGHT, "left": LEFT, "right": RIGHT, "top": TOP, "bottom": BOTTOM},
        "converged": [converging.convergence(barrier.band) for barrier in barriers],
        "forces_frame": converging.FRAME,
        "saves": saves(barriers),
    }


def _curve(barrier: BarrierDoc) -> dict[str, list[float]] | None:
    """Give the numbers behind a profile that the page reads out."""
    if barrier.profile is None:
        return None
    keys = ("distances", "energies", "curve_distance", "curve_energy")
    return {key: [round(value, DIGITS) for value in barrier.profile[key]] for key in keys}


def _text(name: str) -> Markup:
    """Read a part of the page that comes with the package: it is trusted, so nothing in it is escaped."""
    return Markup((files(__package__) / name).read_text("utf-8"))
