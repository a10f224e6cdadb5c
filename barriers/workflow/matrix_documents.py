"""What a study of polymer matrices gives: each matrix at each temperature, over its boxes, and beside the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from jobflow import job
from pydantic import BaseModel, Field
from pymatgen.core import Structure

from barriers.analysis.trajectory.comparison import MatricesDoc, compare
from barriers.analysis.trajectory.documents import TransportDoc
from barriers.analysis.trajectory.pooling import pooled
from barriers.analysis.trajectory.temperatures import ActivationDoc, activation
from barriers.documents import SCHEMA_VERSION
from barriers.engines.openmm.documents import MdDoc

NOT_YET = "not run yet"


class Asked(BaseModel):
    """One run that a study asks for."""

    system: str
    number: int = Field(description="of the box, from 1")
    temperature: float = Field(description="K")


class ConditionDoc(BaseModel):
    """One matrix at one temperature."""

    system: str
    temperature: float = Field(description="K")
    boxes: int = Field(description="asked for")
    done: int = Field(description="boxes that the result is of")
    transport: TransportDoc | None = Field(None, description="of all these boxes")
    reason: str | None = Field(None, description="why a box or the result is missing")
    snapshot: Structure | None = Field(None, description="last frame of the first box")


class BesideDoc(BaseModel):
    """One matrix beside the reference at one temperature."""

    system: str
    temperature: float = Field(description="K")
    document: MatricesDoc | None = None
    reason: str | None = Field(None, description="why they are not compared")


class SeriesDoc(BaseModel):
    """How D of a matrix depends on temperature."""

    system: str
    document: ActivationDoc | None = None
    sentence: str


class MatrixStudyDoc(BaseModel):
    """Transport of an ion in polymer matrices."""

    schema_version: int = Field(SCHEMA_VERSION, description="version of this document's fields")
    kind: Literal["matrix"] = "matrix"
    name: str
    reference: str = Field(description="name of the matrix that others are compared with")
    conditions: list[ConditionDoc]
    runs: list[MdDoc] = Field(description="each run, its trajectory's place and speed; transport is in conditions")
    beside: list[BesideDoc] = Field(default_factory=list)
    series: list[SeriesDoc] = Field(default_factory=list)

    @property
    def missing(self) -> int:
        """Runs that are not there."""
        return sum(each.boxes - each.done for each in self.conditions)


@job(output_schema=MatrixStudyDoc)
def matrix_document(name: str, reference: str, asked: list[Asked], runs: list[MdDoc | str | None]) -> MatrixStudyDoc:
    """Put together the runs of a study.

    Parameters
    ----------
    name, reference : str
        Of the study, and of the matrix that others are compared with.
    asked : list of Asked
        What was to be run.
    runs : list of MdDoc, str or None
        What came of each; text says why there is none.
    """
    of: dict[tuple[str, float], list[MdDoc | str | None]] = {}
    for wanted, run in zip(asked, runs, strict=True):
        of.setdefault((wanted.system, wanted.temperature), []).append(run)
    conditions = [_condition(*which, each) for which, each in of.items()]
    slim = {"transport": None, "snapshot": None}
    return MatrixStudyDoc(
        name=name,
        reference=reference,
        conditions=conditions,
        runs=[run.model_copy(update=slim) for run in runs if isinstance(run, MdDoc)],
        beside=_beside(conditions, reference),
        series=_series(conditions),
    )


def _condition(system: str, temperature: float, runs: Sequence[MdDoc | str | None]) -> ConditionDoc:
    there = [run for run in runs if isinstance(run, MdDoc)]
    readable = [run.transport for run in there if run.transport is not None]
    reasons = [run or NOT_YET for run in runs if not isinstance(run, MdDoc)]
    reasons += [run.reason for run in there if run.reason is not None]
    document = ConditionDoc(
        system=system,
        temperature=temperature,
        boxes=len(runs),
        done=len(readable),
        reason="; ".join(dict.fromkeys(reasons)) or None,
        snapshot=next((run.snapshot for run in there), None),
    )
    try:
        found = pooled(readable) if readable else None
    except ValueError as error:
        document.done, document.reason = 0, str(error)
        return document
    if found is not None:
        motions = [motion.model_copy(update={"groups": []}) for motion in found.motions]
        document.transport = found.model_copy(update={"motions": motions})
    return document


def _beside(conditions: Sequence[ConditionDoc], reference: str) -> list[BesideDoc]:
    found = []
    at = {each.temperature: each.transport for each in conditions if each.system == reference}
    for each in conditions:
        if each.system == reference:
            continue
        row = BesideDoc(system=each.system, temperature=each.temperature)
        one, other = at.get(each.temperature), each.transport
        try:
            row.document = compare(one, other) if one is not None and other is not None else None
            row.reason = None if row.document else f"{each.system if one is not None else reference}: {NOT_YET}"
        except ValueError as error:
            row.reason = str(error)
        found.append(row)
    return found


def _series(conditions: Sequence[ConditionDoc]) -> list[SeriesDoc]:
    found = []
    for system in dict.fromkeys(each.system for each in conditions):
        those = sorted((each for each in conditions if each.system == system), key=lambda each: each.temperature)
        if len(those) < 2:
            continue
        regimes = [each.transport.motions[0].regime for each in those if each.transport is not None]
        without = [
            f"{each.temperature:g} K"
            for each in those
            if each.transport is None or each.transport.motions[0].regime.diffusivity is None
        ]
        if without:
            found.append(SeriesDoc(system=system, sentence=f"no activation energy: no D at {', '.join(without)}"))
            continue
        document = activation(
            [each.temperature for each in those],
            [each.diffusivity or 0.0 for each in regimes],
            [each.diffusivity_error or 0.0 for each in regimes],
        )
        words = "no activation energy" if document is None else document.words
        found.append(SeriesDoc(system=system, document=document, sentence=words))
    return found
