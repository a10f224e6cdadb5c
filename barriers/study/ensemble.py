"""The study file's section on ensembles: the same comparison over orderings, hops, placements and more."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, field_validator

from barriers.study.fields import Section, refusal, takes
from barriers.study.marks import OnFile, is_class

Content = Annotated[float, Field(gt=0, le=1)]
Model = Annotated[str, OnFile("models", "module:Class", is_class)]

NEAREST = re.compile(r"nearest ([1-9][0-9]?) to the bond")
NEAREST_HOPS = "nearest N to the bond, N from 1 to 99, e.g. nearest 3 to the bond"


class EnsembleSection(Section):
    """The same comparison many times over, so that it becomes a distribution."""

    orderings: int = Field(
        3, ge=1, le=200, description="orderings of the metals: with cathode.seed, the next seed, and so on"
    )
    hops: str | None = Field(
        None,
        description="hops of each ordering, of the kind of the study's first hop; the study's own if left out",
        json_schema_extra=takes(NEAREST_HOPS),
    )
    placements: int = Field(
        1, ge=1, le=24, description="placements of each fragment, from the lowest in energy on; Δ is their mean"
    )
    lithium: tuple[Content, ...] | None = Field(
        None,
        min_length=1,
        strict=False,
        description="x in LixMO2, each with all orderings; cathode.lithium if left out",
        json_schema_extra=takes("a list of different numbers, each greater than 0, at most 1"),
    )
    models: tuple[Model, ...] | None = Field(
        None,
        min_length=1,
        strict=False,
        description="models of the embedded engine, each with all orderings; engine.model if left out",
        json_schema_extra=takes("a list of different models (`barriers models`), or module:Class"),
    )

    @field_validator("hops")
    @classmethod
    def _says_how_many(cls, hops: str | None) -> str | None:
        if hops is not None and not NEAREST.fullmatch(hops):
            raise refusal(hops, "chooses no hops", NEAREST_HOPS)
        return hops

    @field_validator("lithium", "models")
    @classmethod
    def _each_once(cls, values: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
        for number, value in enumerate(values or ()):
            if value in (values or ())[:number]:
                raise refusal(value, "stands twice", "each once", (number,))
        return values

    @property
    def nearest(self) -> int | None:
        """Number of hops that are chosen by their distance to the bond; None where the study names them itself."""
        found = NEAREST.fullmatch(self.hops or "")
        return int(found[1]) if found else None


def check_ensemble(ensemble: EnsembleSection, study: Mapping[str, Any]) -> None:
    """Check that an ensemble fits the study that it stands in.

    Parameters
    ----------
    ensemble : EnsembleSection
        The section.
    study : Mapping[str, Any]
        What is valid of the study's other fields; what is not has been refused.

    Raises
    ------
    ValidationError
        With the field and what is allowed.
    """
    systems, engine, comparison = (study.get(name) for name in ("systems", "engine", "comparison"))
    of_one = {
        "label": [hop.label for hop in study.get("hops", ()) if hop.label is not None],
        "from": [hop.name for hop in study.get("hops", ()) if any(isinstance(end, int) for end in hop.ends or ())],
    }
    for key, names in of_one.items():
        if names and ensemble.orderings > 1:
            instead = "layer, mechanism, length and rank" if key == "label" else "coordinates"
            allowed = f"1, or {instead} in the place of hops[].{key}"
            raise refusal(ensemble.orderings, f"have no hop {names[0]!r} in common", allowed, ("orderings",))
    if systems and ensemble.nearest and not any(_is_bonded(system) for system in systems):
        raise refusal(ensemble.hops, "has no bond", "a system whose placement.mode is bonded, or no hops", ("hops",))
    if systems and comparison and ensemble.placements > 1:
        reference = comparison.reference or systems[0].name
        if any(system.fragment for system in systems if system.name == reference):
            allowed = f"1, or a bare slab as comparison.reference, which is {reference!r}"
            raise refusal(ensemble.placements, "leaves no single reference", allowed, ("placements",))
    if systems and ensemble.placements > 1:
        taken = {system.name for system in systems}
        for name in (placed_name(system.name, k) for system in systems for k in range(1, ensemble.placements + 1)):
            if name in taken:
                raise refusal(name, "is the name of a placement", "another name of that system", ("placements",))
    if ensemble.models and engine is not None and (engine.kind != "mlip" or engine.weights or engine.neb != "band"):
        raise refusal(list(ensemble.models), "needs the embedded engine's own bands", "engine: mlip", ("models",))


def placed_name(system: str, placement: int) -> str:
    """Name of a system with the fragment in one of several placements, counted from 1."""
    return f"{system}.p{placement}"


def _is_bonded(system: Any) -> bool:
    return system.fragment is not None and system.placement.mode == "bonded"
