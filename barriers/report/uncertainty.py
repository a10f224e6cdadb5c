"""What ± means in a table: which parts it has, and of which barriers one is not known."""

from __future__ import annotations

from barriers.analysis.uncertainty import PARTS
from barriers.documents import StudyDoc

WORDS = {
    "fit": "spread of the fits",
    "tolerance": "force left at the saddle",
    "starts": "spread of the starts that ended on the same path",
    "ends": "force left at the end points",
}
"""What each part is."""


def meaning(study: StudyDoc) -> str:
    """Say what stands behind ±, in one sentence without its full stop."""
    known = [barrier for barrier in study.barriers if barrier.uncertainty is not None]
    if all(barrier.forward is None for barrier in study.barriers):
        return "no barrier is known yet"
    if not known:
        return "± is the spread of the fits, the least uncertainty"
    bands = [barrier for barrier in known if barrier.correction is None]
    if not bands:
        return "± is one standard deviation of the correction"
    parts = [WORDS[part] for part in PARTS if any(part in barrier.uncertainty_parts for barrier in bands)]
    lacking: dict[str, list[str]] = {}
    for part in PARTS:
        names = ", ".join(dict.fromkeys(each.system for each in bands if part not in each.uncertainty_parts))
        lacking.setdefault(names, []).append(WORDS[part])
    unknown = [f"not known of {names}: {', '.join(words)}" for names, words in lacking.items() if names]
    also = ["of a barrier corrected at points, that of the correction"] if len(bands) < len(known) else []
    said = f"± is one standard deviation, not of the model but of the band: {', '.join(parts)}"
    squares = ", added in squares" if len(parts) > 1 else ""
    return "; ".join([said + squares, *also, *unknown])
