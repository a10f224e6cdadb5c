"""Sphinx configuration. Tables of fields and models are made from the code when the docs are built."""

import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from sphinx.application import Sphinx

import barriers
from barriers.distribution import install, versions
from barriers.engines.mlip.models import known_models
from barriers.study.models import EndpointsSection
from barriers.study.template import markdown_table

sys.path.append(str(Path(__file__).parent))
from draw_figures import DOCS, draw_figures

project = "barriers"
author = "The barriers developers"
project_copyright = author
release = versions()["barriers"]

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
exclude_patterns = ["_build"]
html_theme = "furo"
smartquotes = False
html_title = f"barriers {release}"

autodoc_member_order = "bysource"
autodoc_default_options = {"members": True, "exclude-members": "model_config"}
napoleon_google_docstring = False
napoleon_use_ivar = True

WEIGHTS = {"wheel": "in the package", "file": "a file, or an allowed download", "none": "none needed"}


def models_table() -> str:
    """Table of the embedded engine's models, for the docs."""
    rows = [
        f"| `{name}` | {model['about']} | {WEIGHTS[model['weights']]} | {_install(model)} |"
        for name, model in known_models().items()
    ]
    return "\n".join(["| model | what it is | weights | install |", "| --- | --- | --- | --- |", *rows])


def public_names() -> str:
    """What can be imported from ``barriers`` itself, for the docs."""
    names = ", ".join(f"`{name}`" for name in sorted(barriers.__all__))
    return f"These can be imported from `barriers` itself: {names}."


def _install(model: dict[str, Any]) -> str:
    return f"`{install(model['extra'])}`" if "extra" in model else "nothing more"


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
    app.connect("autodoc-process-docstring", describe_fields)
    app.connect("autodoc-process-signature", hide_constraints)


myst_enable_extensions = ["substitution"]
myst_heading_anchors = 3
myst_substitutions = {
    "models_table": models_table(),
    "public_names": public_names(),
    "study_fields": markdown_table(),
    "endpoint_fields": markdown_table(EndpointsSection, "endpoints."),
}
