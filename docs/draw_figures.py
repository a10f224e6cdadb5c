"""Draw the figures of a page by the code on it: an image is what the block of Python before it leaves in ``axes``."""

from __future__ import annotations

import os
import re
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes

from barriers.report.style import STYLE, figure_of

DOCS = Path(__file__).parent
STEPS = re.compile(r"^```python\n(.*?)^```$|!\[[^\]]*\]\((images/[^)]+)\)", re.M | re.S)
"""A block of code, or an image."""

RESOLUTION = 200
"""Of the pictures on a page (dots per inch)."""


def figures_of(page: Path) -> dict[str, Axes]:
    """Run the code of a page from the root of the repository; give the axes of each image by its file's name."""
    names: dict[str, Axes] = {}
    found, before = {}, Path.cwd()
    os.chdir(DOCS.parent)
    try:
        for code, image in STEPS.findall(page.read_text("utf-8")):
            if image:
                found[image] = names["axes"]
            else:
                exec(compile(code, page.name, "exec"), names)
    finally:
        os.chdir(before)
    return found


def draw_figures(page: Path) -> None:
    """Draw all images of a page beside it."""
    for image, axes in figures_of(page).items():
        with mpl.rc_context(STYLE):
            figure_of(axes).savefig(page.parent / image, dpi=RESOLUTION)


if __name__ == "__main__":
    draw_figures(DOCS / "figures.md")
