"""What a search for a saddle comes to: the corrected band, and what it rests on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from barriers.documents import EngineDoc, ProposalDoc, SurrogateDoc
from barriers.engines.surrogate.base import model_calls
from barriers.engines.surrogate.saddle_search import SaddleSearch
from barriers.engines.surrogate.search import rounds_of


def corrected(search: SaddleSearch) -> dict[str, Any]:
    """Give the numbers of the corrected band, as a :class:`~barriers.documents.BandDoc` has them."""
    path = search.path
    return {
        "structure": search.frame.at(path.images[0]),
        "positions": [search.frame.positions(x).tolist() for x in path.images],
        "energies": path.energies.tolist(),
        "forces": [search.frame.forces(each).tolist() for each in path.forces],
    }


def surrogate_document(search: SaddleSearch, states: Sequence[ProposalDoc], model: EngineDoc) -> SurrogateDoc:
    """Put together what a corrected band rests on.

    Parameters
    ----------
    search : SaddleSearch
        The search, over.
    states : sequence of ProposalDoc
        What was proposed, and what would be next.
    model : EngineDoc
        The model.
    """
    initial, final = search.ends
    ends = [point for point in search.others if point.kind == "initial"]
    points = [*search.others, *search.points()]
    later = [each.model_copy(update={"kind": "final", "points": each.points + len(ends)}) for each in final.rounds]
    calls = initial.model_calls + final.model_calls + model_calls(states)
    document = SurrogateDoc(
        counts=dict(Counter(point.kind for point in points)),
        model_calls=calls,
        model=model,
        model_positions=search.scouted.positions,
        model_energies=search.scouted.energies,
        points=points,
        rounds=[*initial.rounds, *later, *rounds_of("saddle", states, len(search.others))],
    )
    if not search.attempts:
        return document
    forward, reverse = search.estimates
    on_model = [search.surface(search.frame.flat(search.scouted.positions[image]))[0] for image in (0, search.top, -1)]
    estimated = {
        "forward": forward.barrier,
        "reverse": reverse.barrier,
        "uncertainty_forward": forward.uncertainty,
        "uncertainty_reverse": reverse.uncertainty,
        "parts_forward": forward.parts,
        "parts_reverse": reverse.parts,
        "raw_forward": on_model[1] - on_model[0],
        "raw_reverse": on_model[1] - on_model[2],
        "deviations": search.path.deviations(0).tolist(),
        "model_calls": calls + search.surface.model_calls,
    }
    return document.model_copy(update=estimated)
