"""Run the docs' notebooks and keep in them what cells print and draw: ``python docs/run_notebooks.py [NAME …]``.

A cell is plain Python, but for lines of IPython that begin with a ``%``; a figure that its last line gives is drawn.
"""

from __future__ import annotations

import ast
import base64
import io
import json
import os
import sys
import tempfile
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

DOCS = Path(__file__).parent
RESOLUTION = 110
"""Of the pictures in a notebook (dots per inch)."""


def run_notebook(path: Path, folder: Path) -> dict[str, Any]:
    """Run a notebook and give it with the outputs of its cells.

    Parameters
    ----------
    path : Path
        The notebook; it is left as it is.
    folder : Path
        Where it is run: a folder beside the repository's ``inputs``, as ``docs`` is.
    """
    notebook: dict[str, Any] = json.loads(path.read_text("utf-8"))
    names: dict[str, Any] = {"__name__": "notebook"}
    before = Path.cwd()
    os.chdir(folder)
    try:
        for number, cell in enumerate((cell for cell in notebook["cells"] if cell["cell_type"] == "code"), start=1):
            cell |= {"execution_count": number, "outputs": _outputs("".join(cell["source"]), number, names)}
    finally:
        os.chdir(before)
    return notebook


def _outputs(source: str, number: int, names: dict[str, Any]) -> list[dict[str, Any]]:
    """Run a cell; give what it prints, and the picture of the figure that its last line is."""
    plain = "\n".join("" if line.startswith("%") else line for line in source.splitlines())
    body = ast.parse(plain).body
    last = body.pop() if body and isinstance(body[-1], ast.Expr) else None
    with redirect_stdout(io.StringIO()) as printed:
        exec(compile(ast.Module(body, []), f"cell {number}", "exec"), names)
        value = eval(compile(ast.Expression(last.value), f"cell {number}", "eval"), names) if last else None
    text = printed.getvalue()
    found: list[dict[str, Any]] = []
    if text:
        found.append({"output_type": "stream", "name": "stdout", "text": text.splitlines(keepends=True)})
    if isinstance(value, Figure):
        drawn = io.BytesIO()
        value.savefig(drawn, format="png", dpi=RESOLUTION, metadata={"Software": None})
        data = {"image/png": base64.b64encode(drawn.getvalue()).decode(), "text/plain": [repr(value)]}
        found.append({"output_type": "execute_result", "execution_count": number, "data": data, "metadata": {}})
    return found


def shown(notebook: dict[str, Any]) -> list[list[str]]:
    """Say of each cell what it prints, and ``picture`` for each picture."""
    return [
        ["".join(output["text"]) if "text" in output else "picture" for output in cell["outputs"]]
        for cell in notebook["cells"]
        if cell["cell_type"] == "code"
    ]


if __name__ == "__main__":
    for path in [DOCS / name for name in sys.argv[1:]] or sorted(DOCS.glob("*.ipynb")):
        with tempfile.TemporaryDirectory() as empty:
            folder = Path(empty) / "docs"
            folder.mkdir()
            (folder.parent / "inputs").symlink_to(DOCS.parent / "inputs")
            done = run_notebook(path, folder)
        path.write_text(json.dumps(done, indent=1, ensure_ascii=False) + "\n", "utf-8")
