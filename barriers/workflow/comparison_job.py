"""The job that turns barriers into the comparison of a study."""

from __future__ import annotations

from typing import Any, Literal

from jobflow import job

from barriers.analysis.comparison import Difference, Row, compare, sentence
from barriers.analysis.ensemble import MemberDoc, ensemble_document
from barriers.documents import BarrierDoc, ComparisonRowDoc, CrystalDoc, GapDoc, SlabDoc, StudyDoc


@job(output_schema=StudyDoc)
def study_document(
    name: str,
    barriers: list[BarrierDoc | str | None],
    reference: str,
    which: Literal["forward", "reverse", "span"],
    notes: list[str] | None = None,
    wanted: list[tuple[str, str]] | None = None,
    members: list[MemberDoc] | None = None,
    slab: SlabDoc | CrystalDoc | None = None,
    beside: dict[str, Any] | None = None,
) -> StudyDoc:
    """Compare the barriers of a study, as far as they are there.

    Parameters
    ----------
    name : str
        Name of the study.
    barriers : list[BarrierDoc, str or None]
        In the study's order; for one that is not there why, or None where a calculation failed.
    reference : str
        System that the others are compared with.
    which : {'forward', 'reverse', 'span'}
        The barrier that is compared.
    notes : list[str] or None
        What is to be known of the slab or the crystal.
    wanted : list[tuple[str, str]] or None
        System and name of the hop of each barrier; may be left out where none is missing.
    members : list[MemberDoc] or None
        Of an ensemble: what each is one of.
    slab : SlabDoc, CrystalDoc or None
        The bare slab or the supercell of a crystal, where the study built one.
    beside : dict[str, Any] or None
        What other jobs of the study gave, by their names; None or a reason for what is not there. Under
        :data:`~barriers.workflow.beside_documents.ASKED` and ``PUBLISHED`` the study's sections on rates and on
        published values.
    """
    if wanted is None:
        wanted = [(barrier.system, barrier.hop_name) for barrier in barriers if isinstance(barrier, BarrierDoc)]
    gaps: list[GapDoc] = []
    rows: list[Row] = []
    for barrier, (system, hop) in zip(barriers, wanted, strict=True):
        if not isinstance(barrier, BarrierDoc):
            gaps.append(GapDoc(system=system, hop=hop, reason=barrier or "a calculation it needs failed"))
            rows.append(Row(system, hop, None, None, {}, gaps[-1].reason))
        else:
            value = getattr(barrier, which)
            rows.append(Row(system, hop, value, barrier.plus_minus(which), barrier.fingerprint, barrier.reason))
    found = compare(rows, reference, which)
    ensemble = None if members is None else ensemble_document(members, found, reference)
    there = [barrier for barrier in barriers if isinstance(barrier, BarrierDoc)]
    table = [_row_document(difference) for difference in found]
    return StudyDoc(
        name=name,
        barriers=there,
        which=which,
        reference=reference,
        rows=table,
        gaps=gaps,
        sentences=[one.sentence for one in ensemble.distributions] if ensemble else _sentences(rows, reference),
        notes=notes or [],
        ensemble=ensemble,
        slab=slab if isinstance(slab, SlabDoc) else None,
        crystal=slab if isinstance(slab, CrystalDoc) else None,
        **(_told(beside, there, table) if beside else {}),
    )


def _told(beside: dict[str, Any], barriers: list[BarrierDoc], rows: list[ComparisonRowDoc]) -> dict[str, Any]:
    # Only a study with fragments needs what builds them; two given structures do without.
    from barriers.workflow.beside_documents import (
        electrons_rows,
        energetics_document,
        kinetics_document,
        placements_rows,
        published_document,
    )
    from barriers.workflow.network import network_document

    kinetics = kinetics_document(beside)
    return {
        "energetics": energetics_document(beside, barriers),
        "kinetics": kinetics,
        "network": network_document(beside, barriers, kinetics),
        "electrons": electrons_rows(beside),
        "placements": placements_rows(beside),
        "published": published_document(beside, rows),
    }


def _row_document(difference: Difference) -> ComparisonRowDoc:
    return ComparisonRowDoc(
        system=difference.row.system,
        hop=difference.row.hop,
        barrier=difference.row.barrier,
        uncertainty=difference.row.uncertainty,
        difference=difference.delta,
        difference_uncertainty=difference.uncertainty,
        reason=difference.row.reason or difference.reason,
    )


def _sentences(rows: list[Row], reference: str) -> list[str]:
    """Say each comparison in words, a line for each hop and system beside the reference."""
    by_hop: dict[str, dict[str, Row]] = {}
    for row in rows:
        by_hop.setdefault(row.hop, {})[row.system] = row
    return [
        sentence(of_hop[reference], row)
        for of_hop in by_hop.values()
        for name, row in of_hop.items()
        if name != reference
    ]
