"""All hops of a crystal, as the page's viewer draws them."""

from __future__ import annotations

from typing import Any

import numpy as np

from barriers.documents import StudyDoc
from barriers.report.crystal import study_scene
from barriers.report.html.looks import crystal_looks
from barriers.report.html.scene import DECIMALS, angle, drawn
from barriers.report.views import Points


def network_scene(study: StudyDoc) -> dict[str, Any] | None:
    """Give what the viewer needs of a crystal with its hops, ready for JSON; None of a study of no crystal.

    Returns
    -------
    dict[str, Any] or None
        As :func:`~barriers.report.html.scene.scene` of one image; ``hops``: of each distinct one its ``words`` and
        ``colour``, its ``arrow`` as a pair of points (Å) and those of the ``ways`` that are like it; ``beyond``:
        number and place (Å) of each periodic image that is drawn too.
    """
    found = study_scene(study)
    if found is None:
        return None
    scene, words = found
    jump = next(iter(scene.arrows.values()))
    hops = [
        {
            "words": words[name],
            "colour": colour,
            "arrow": _rounded(scene.arrows[name]),
            "ways": [_rounded(ends) for ends in scene.ways[name]],
        }
        for name, colour in scene.colours.items()
    ]
    return drawn(scene.structure, scene.positions[None], scene.corner, crystal_looks(scene.structure)) | {
        "polyhedra": scene.polyhedra,
        "turn": angle(jump[1] - jump[0]),
        "hops": hops,
        "beyond": [[atom, *_rounded(place)] for atom, place in scene.images],
    }


def _rounded(points: Points) -> list[Any]:
    rounded: list[Any] = np.round(points, DECIMALS).tolist()
    return rounded
