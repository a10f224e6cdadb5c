"""Sphinx configuration. The pages read well as they stand; ``pages.py`` makes what only the built ones have."""

import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from sphinx.application import Sphinx

from barriers.distribution import versions
from barriers.engines import mlip
from barriers.engines.mlip import cell, jobs

sys.path.append(str(Path(__file__).parent))
from draw_figures import DOCS, draw_figures
from pages import read_page

for maker in (cell.CellMaker, jobs.NebMaker, jobs.RelaxMaker, jobs.StaticMaker):
    setattr(mlip, maker.__name__, maker)  # the engine names their types, and loads them when it needs them

project = "barriers"
author = "The barriers developers"
project_copyright = author
release = versions()["barriers"]

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
source_suffix = {".md": "markdown", ".ipynb": "markdown"}
exclude_patterns = ["_build"]
html_theme = "furo"
toc_object_entries = False  # thousands of entries, which the theme would copy for each page
smartquotes = False
html_title = f"barriers {release}"

autodoc_member_order = "bysource"
autodoc_default_options = {"members": True, "exclude-members": "model_config"}
napoleon_google_docstring = False
napoleon_use_ivar = True


def describe_fields(_app: Sphinx, _what: str, _name: str, obj: Any, _options: Any, lines: list[str]) -> None:
    """Add the descriptions of a pydantic model's own fields to its docstring."""
    if isinstance(obj, type) and issubclass(obj, BaseModel):
        described = {name: field.description for name, field in obj.model_fields.items() if field.description}
        lines += ["", *(f":ivar {name}: {text}" for name, text in described.items()), ""]


def hide_constraints(
    _app: Sphinx, _what: str, _name: str, obj: Any, _options: Any, signature: str, returns: str
) -> tuple[str | None, str | None]:
    """Leave out the signature of a pydantic model: it repeats every constraint, and the fields follow below."""
    return (None, None) if isinstance(obj, type) and issubclass(obj, BaseModel) else (signature, returns)


def draw_pictures(_app: Sphinx) -> None:
    """Draw the figures of results from stored ones, so that they show what the code draws now."""
    draw_figures(DOCS / "figures.md")


def setup(app: Sphinx) -> None:
    """Connect the hooks."""
    app.connect("builder-inited", draw_pictures)
    app.connect("source-read", read_page)
    app.connect("autodoc-process-docstring", describe_fields)
    app.connect("autodoc-process-signature", hide_constraints)


myst_heading_anchors = 3
