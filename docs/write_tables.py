"""Write the tables that stand in the pages and are made from the code: ``python docs/write_tables.py``.

Each stands between ``<!-- NAME, written by docs/write_tables.py -->`` and ``<!-- end -->``. On the API page the line
of a module ends with the first line of its docstring.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent
TABLE = re.compile(r"(<!-- (\w+), written by docs/write_tables\.py -->\n).*?(<!-- end -->)", re.S)
MODULE = re.compile(r"^- \[`(barriers[\w.]*)`\]\(\.\./([\w/]+\.py)\).*$", re.M)
"""The line of a module on the API page: its name, and its file in the repository."""

WEIGHTS = {"wheel": "in the package", "file": "a file, or an allowed download", "none": "none needed"}


def models_table() -> str:
    """Table of the embedded engine's models."""
    from barriers.engines.mlip.models import known_models

    rows = [
        f"| `{name}` | {model['about']} | {WEIGHTS[model['weights']]} | {_install(model)} |"
        for name, model in known_models().items()
    ]
    return "\n".join(["| model | what it is | weights | install |", "| --- | --- | --- | --- |", *rows])


def public_names() -> str:
    """What can be imported from ``barriers`` itself."""
    import barriers

    names = ", ".join(f"`{name}`" for name in sorted(barriers.__all__))
    return f"These can be imported from `barriers` itself: {names}."


def study_fields() -> str:
    """Table of every field of the study file."""
    from barriers.study.template import markdown_table

    return markdown_table()


def endpoint_fields() -> str:
    """Table of the section that names two structures."""
    from barriers.study.models import EndpointsSection
    from barriers.study.template import markdown_table

    return markdown_table(EndpointsSection, "endpoints.")


def crystal_fields() -> str:
    """Table of the sections of a study of a crystal."""
    from barriers.study.crystal import CrystalHopSection, CrystalSection
    from barriers.study.network import NetworkSection
    from barriers.study.template import markdown_table

    others = {"hops[].": CrystalHopSection, "network.": NetworkSection}
    rows = [markdown_table(form, path).partition("| --- |")[2].partition("\n")[2] for path, form in others.items()]
    return "".join([markdown_table(CrystalSection, "crystal."), *rows])


def matrix_fields() -> str:
    """Table of the sections of a study of polymer matrices."""
    from barriers.study.matrix import MatrixSection, MatrixSystemSection
    from barriers.study.template import markdown_table

    rows = markdown_table(MatrixSystemSection, "systems[].").partition("| --- |")[2].partition("\n")[2]
    return markdown_table(MatrixSection, "matrix.") + rows


TABLES: dict[str, Callable[[], str]] = {
    "models_table": models_table,
    "public_names": public_names,
    "study_fields": study_fields,
    "endpoint_fields": endpoint_fields,
    "crystal_fields": crystal_fields,
    "matrix_fields": matrix_fields,
}


def with_tables(text: str) -> str:
    """Give a page with its tables as the code makes them now."""
    text = TABLE.sub(lambda found: f"{found[1]}\n{TABLES[found[2]]().rstrip()}\n\n{found[3]}", text)
    return MODULE.sub(lambda found: f"- [`{found[1]}`](../{found[2]}): {_about(DOCS.parent / found[2])}", text)


def _install(model: dict[str, Any]) -> str:
    from barriers.distribution import install

    return f"`{install(model['extra'])}`" if "extra" in model else "nothing more"


def _about(path: Path) -> str:
    said = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    return said.partition("\n")[0].replace("``", "`")


if __name__ == "__main__":
    for page in sorted(DOCS.glob("*.md")):
        page.write_text(with_tables(page.read_text("utf-8")), "utf-8")
