"""Distribution of a barrier's change over the orderings, hops and placements of an ensemble."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from math import sqrt

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from barriers.analysis.comparison import Difference

FEWEST_DECIMALS, ROUNDED_FROM = 2, 0.01
"""Energies are written to 10 meV where their standard error (eV) is that large, else to 1 meV."""


class MemberDoc(BaseModel):
    """What one barrier of an ensemble is one of."""

    model_config = ConfigDict(frozen=True)

    system: str = Field(description="system and hop as the tables name them")
    hop: str
    of_system: str = Field(description="system of the study, whatever the placement")
    of_hop: str = Field(description="hop, whatever the ordering")
    placement: int = Field(1, description="number of the placement, 1 for the lowest in energy")
    ordering: int = Field(1, description="number of the ordering")
    seed: int = Field(description="cathode.seed of the ordering")
    lithium: float = Field(description="x in LixMO2")
    model: str = Field("", description="model of the embedded engine; empty for another engine")


class PairDoc(BaseModel):
    """One hop of one ordering in two systems."""

    hop: str = Field(description="the hop as the tables name it")
    of_hop: str = Field(description="the hop, whatever the ordering")
    ordering: int
    seed: int
    delta: float = Field(description="barrier minus the reference's, mean over the placements (eV)")
    uncertainty: float | None = Field(None, description="of delta: root mean square of those of the placements (eV)")
    placements: dict[int, float] = Field(description="difference of each placement by its number (eV)")


class DistributionDoc(BaseModel):
    """How the barriers of one system differ from the reference's, hop by hop."""

    system: str
    reference: str
    lithium: float = Field(description="x in LixMO2")
    model: str = Field("", description="model of the embedded engine; empty for another engine")
    pairs: list[PairDoc] = Field(description="every hop of every ordering that both systems have a barrier of")
    falls: int = Field(description="number of hops with a lower barrier")
    rises: int = Field(description="number of hops with a higher one")
    mean: float | None = Field(None, description="mean difference (eV)")
    spread: float | None = Field(None, description="standard deviation of the differences (eV)")
    standard_error: float | None = Field(None, description="of the mean (eV)")
    p_value: float | None = Field(None, description="of the two-sided sign test")
    missing: list[str] = Field(default_factory=list, description="barriers that are left out, and why")
    sentence: str = Field("", description="the result in words")


class EnsembleDoc(BaseModel):
    """What an ensemble says, and what each of its barriers is one of."""

    members: list[MemberDoc]
    distributions: list[DistributionDoc] = Field(description="one for each system beside the reference, x and model")


def ensemble_document(members: Sequence[MemberDoc], found: Sequence[Difference], reference: str) -> EnsembleDoc:
    """Pair the barriers of an ensemble and describe their differences.

    A pair is the same hop on the same ordering in both systems. Who is whose partner is said by the names alone, not
    by any order. A barrier that is missing leaves out no other pair than its own.

    Parameters
    ----------
    members : Sequence[MemberDoc]
        What each barrier is one of.
    found : Sequence[Difference]
        What :func:`~barriers.analysis.comparison.compare` gives of them; energies in eV.
    reference : str
        System that the others are compared with.
    """
    differences = {(one.row.system, one.row.hop): one for one in found}
    groups: dict[tuple[str, float, str], list[MemberDoc]] = defaultdict(list)
    for member in members:
        if member.of_system != reference:
            groups[member.of_system, member.lithium, member.model].append(member)
    several = {name: len({getattr(member, name) for member in members}) > 1 for name in ("lithium", "model")}
    return EnsembleDoc(
        members=list(members),
        distributions=[
            _distribution(group, of_group, differences, reference, several) for group, of_group in groups.items()
        ],
    )


def standard_error(differences: Sequence[float], orderings: Sequence[int]) -> float | None:
    """Give the standard error of a mean (eV) whose terms are not all independent.

    Hops of one ordering share slab and fragment. So it is the larger of s/√n and the estimate that lets terms of one
    cluster depend on each other in any way: Liang and Zeger, Biometrika 73, 13 (1986), with the factor G/(G−1) for
    G clusters. None for fewer than two terms.

    Parameters
    ----------
    differences : Sequence[float]
        In eV.
    orderings : Sequence[int]
        Ordering that each belongs to.
    """
    if len(differences) < 2:
        return None
    residues = np.array(differences) - np.mean(differences)
    alone = float(np.std(residues, ddof=1)) / sqrt(len(residues))
    clusters = np.unique(orderings)
    if len(clusters) < 2:
        return alone
    sums = [residues[np.array(orderings) == cluster].sum() for cluster in clusters]
    factor = len(clusters) / (len(clusters) - 1)
    return max(alone, sqrt(factor * float(np.square(sums).sum())) / len(residues))


def _sign_test(falls: int, rises: int) -> float | None:
    """Two-sided p of as many falls or more extreme, were either as likely; None without any."""
    from scipy.stats import binomtest

    return float(binomtest(falls, falls + rises).pvalue) if falls + rises else None


def _distribution(
    group: tuple[str, float, str],
    members: Sequence[MemberDoc],
    differences: Mapping[tuple[str, str], Difference],
    reference: str,
    several: Mapping[str, bool],
) -> DistributionDoc:
    of_pair: dict[str, list[MemberDoc]] = defaultdict(list)
    missing = []
    for member in members:
        one = differences[member.system, member.hop]
        if one.delta is None:
            missing.append(f"{member.system} {member.hop}: {one.row.reason or one.reason or 'no barrier'}")
        else:
            of_pair[member.hop].append(member)
    pairs = [_pair(there, differences) for there in of_pair.values()]
    deltas = [pair.delta for pair in pairs]
    falls, rises = sum(delta < 0 for delta in deltas), sum(delta > 0 for delta in deltas)
    system, lithium, model = group
    document = DistributionDoc(
        system=system,
        reference=reference,
        lithium=lithium,
        model=model,
        pairs=pairs,
        falls=falls,
        rises=rises,
        mean=float(np.mean(deltas)) if deltas else None,
        spread=float(np.std(deltas, ddof=1)) if len(deltas) > 1 else None,
        standard_error=standard_error(deltas, [pair.ordering for pair in pairs]),
        p_value=_sign_test(falls, rises),
        missing=missing,
    )
    about = [f"x = {lithium:g}"] * several["lithium"] + [model] * several["model"]
    document.sentence = _sentence(document, ", ".join(about))
    return document


def _pair(members: Sequence[MemberDoc], differences: Mapping[tuple[str, str], Difference]) -> PairDoc:
    """Join the placements of one hop on one ordering."""
    found = {member.placement: differences[member.system, member.hop] for member in members}
    deltas = {placement: one.delta for placement, one in sorted(found.items()) if one.delta is not None}
    # The reference's share is in all of them, so that the mean is hardly better known than each.
    known = [one.uncertainty for one in found.values() if one.uncertainty is not None]
    first = members[0]
    return PairDoc(
        hop=first.hop,
        of_hop=first.of_hop,
        ordering=first.ordering,
        seed=first.seed,
        delta=float(np.mean(list(deltas.values()))),
        uncertainty=float(np.sqrt(np.mean(np.square(known)))) if len(known) == len(found) else None,
        placements=deltas,
    )


def _sentence(found: DistributionDoc, about: str) -> str:
    whom = f"{found.system} against {found.reference}{f' ({about})' if about else ''}"
    left_out = f"; left out: {len(found.missing)} of the barriers" if found.missing else ""
    if found.mean is None:
        return f"{whom}: no hop with a barrier in both{left_out}"
    error = found.standard_error
    plus_minus = "" if error is None else f" ± {_number(error, error)}"
    spread = "" if found.spread is None else f", spread {_number(found.spread, error)} eV"
    test = "" if found.p_value is None else f", sign test p = {found.p_value:.2g}"
    mean = f"mean Δ {_number(found.mean, error, '+')}{plus_minus} eV"
    return f"{whom}: {found.falls} of {len(found.pairs)} hops fall, {mean}{spread}{test}{left_out}"


def _number(value: float, error: float | None, sign: str = "") -> str:
    decimals = FEWEST_DECIMALS + (error is not None and error < ROUNDED_FROM)
    return format(value, f"{sign}z.{decimals}f").replace("-", "−")
