"""What a study tells beside its barriers, as tables for terminal and page, and as CSV: energies and rates."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Group
from rich.table import Table
from rich.text import Text

from barriers.analysis.electrons import ElectronsRow
from barriers.analysis.energetics import EnergeticsDoc, PlacementsDoc, PublishedDoc
from barriers.documents import StudyDoc
from barriers.files.structures import stem
from barriers.report.network import diffusion_rows, network_lines, network_tables
from barriers.report.numbers import NONE, energy, shown, signed, written_uncertainty
from barriers.report.rates import rate_rows
from barriers.report.tables import write_rows


class Sheet(NamedTuple):
    """A table whose first column holds names.

    Attributes
    ----------
    name : str
        What it is of, for the name of a file.
    title : str
        What the numbers are.
    headings : tuple of str
        One for each column.
    rows : list of tuple of str
        Cells.
    """

    name: str
    title: str
    headings: tuple[str, ...]
    rows: list[tuple[str, ...]]


def sheets(study: StudyDoc) -> list[Sheet]:
    """Lay out what is known beside the barriers; nothing of a study that asks for nothing."""
    found = [_placements(study.placements)] if study.placements else []
    found += _energies(study.energetics) if study.energetics else []
    found += [_frequencies(study)] if study.kinetics else []
    found += [Sheet(*table) for table in network_tables(study.network)] if study.network else []
    found += [_electrons(study.electrons)] if any(row.document for row in study.electrons) else []
    return [*found, _published(study.published, study.which)] if study.published else found


def beside_tables(study: StudyDoc) -> Iterator[Group]:
    """Give the same for a terminal."""
    for sheet in sheets(study):
        table = Table(header_style="bold")
        for heading in sheet.headings:
            table.add_column(heading, overflow="fold")
        for row in sheet.rows:
            table.add_row(*row)
        yield Group(Text(sheet.title), table)  # a title of the table's own would be broken to its width


def beside_notes(study: StudyDoc) -> list[str]:
    """Say what is not there, and what the numbers cannot be trusted for, one line each."""
    energetics, kinetics = study.energetics or EnergeticsDoc(), study.kinetics
    lacking = [(f"{row.system}: no adsorption energy", row.reason) for row in energetics.adsorption]
    lacking += [(f"{row.system}, {row.state}: not known how Li⁺ is held", row.reason) for row in energetics.lithium]
    lacking += [(f"{row.equation or row.name}: no energy", row.reason) for row in energetics.reactions]
    lacking += [(f"{row.name}: a start does not count", line) for row in energetics.species for line in row.dropped]
    of_hops = kinetics.frequencies if kinetics else []
    lacking += [
        (f"{row.system} {row.hop}: no attempt frequency, the usual 1e13 Hz instead", row.reason) for row in of_hops
    ]
    lacking += [(f"{row.system}, {row.state}: no electron density", row.reason) for row in study.electrons]
    of_electrons = [
        f"{row.system}, {row.state}: {line}"
        for row in study.electrons
        for line in (row.document.warnings if row.document else ())
    ]
    differs = [f"done otherwise there: {line}" for line in (study.published.differs if study.published else ())]
    of_network = network_lines(study.network) if study.network else []
    return (
        differs
        + energetics.warnings
        + of_electrons
        + of_network
        + [f"{what}: {reason}" for what, reason in lacking if reason]
    )


def write_beside(study: StudyDoc, folder: Path) -> list[Path]:
    """Write the rows of each table that has some as CSV: ``adsorption.csv``, ``rates.csv`` and so on."""
    energetics = study.energetics or EnergeticsDoc()
    tables: dict[str, list[dict[str, Any]]] = {
        name: [row.model_dump() for row in getattr(energetics, name)]
        for name in ("adsorption", "lithium", "reactions", "species")
    }
    for row in tables["adsorption"]:
        row |= {"bonds": "; ".join(row["bonds"]), "moments": "; ".join(row["moments"])}
    for row in tables["species"]:
        row["dropped"] = "; ".join(row["dropped"])
    tables["rates"] = rate_rows(study) if study.kinetics else []
    tables["percolation"] = [row.model_dump() for row in study.network.percolation] if study.network else []
    tables["diffusion"] = diffusion_rows(study.network) if study.network else []
    tables["published"] = [row.model_dump() for row in study.published.rows] if study.published else []
    written = []
    for name, rows in tables.items():
        if rows:
            written.append(folder / f"{name}.csv")
            write_rows(rows, written[-1])
    for of in study.electrons:
        if of.document is not None:
            from barriers.report.density import write_density

            written += write_density(of.document, electrons_folder(of, folder))
    return written


def electrons_folder(row: ElectronsRow, folder: Path) -> Path:
    """Folder of a row's tables and figures in a results folder."""
    return folder / "electrons" / stem(row.system, row.state)


def _placements(found: list[PlacementsDoc]) -> Sheet:
    rows: list[tuple[str, ...]] = []
    for of in found:
        least = min(row.energy for row in of.rows)
        for number, row in enumerate(of.rows, 1):
            became = "relaxed fully" if number == of.kept else "" if row.like is None else f"as placement {row.like}"
            became = became if row.converged else f"{became}, not converged".removeprefix(", ")
            numbers = (f"{row.energy - least:.3f}", f"{row.lowest:.2f}")
            rows.append((of.system, str(number), *numbers, ", ".join(row.bonds) or "none", became or NONE))
    title = "Placements relaxed roughly: energy above the lowest of the system (eV), height of the lowest atom (Å)"
    headings = ("System", "Placement", "Energy", "Height", "Bonds to the surface", "Became")
    return Sheet("placements", title, headings, rows)


def _energies(found: EnergeticsDoc) -> Iterator[Sheet]:
    if found.adsorption:
        yield Sheet(
            "adsorption",
            "Adsorption energy of a fragment (eV), < 0 where it binds; spread of its shapes alone (eV); height (Å)",
            ("System", "E_ads", "Shapes", "Height", "Bonds to the surface"),
            [
                (
                    row.system,
                    signed(row.energy, None),
                    energy(row.conformers, None),
                    NONE if row.lowest is None else f"{row.lowest:.2f}",
                    ", ".join(row.bonds) or "none",
                )
                for row in found.adsorption
            ],
        )
    if found.lithium:
        yield Sheet(
            "lithium",
            "Li⁺ held beside the fragment, against the bare slab (eV): < 0 is more strongly",
            ("System", "Site", "Δ binding"),
            [(row.system, row.state, signed(row.energy, None)) for row in found.lithium],
        )
    if found.reactions:
        yield Sheet(
            "reactions",
            f"Reaction energies (eV) by {found.molecules}: products minus reactants, no zero-point or thermal terms",
            ("Reaction", "ΔE", "Spread"),
            [(row.equation or row.name, signed(row.energy, None), energy(row.spread, None)) for row in found.reactions],
        )
    if found.species:
        yield Sheet(
            "species",
            "Starts of each species that has several, how many count, the lowest, and how far apart they end (eV)",
            ("Species", "Starts", "Kept", "Lowest", "Spread"),
            [
                (row.name, f"{row.starts}", f"{row.kept}", row.lowest or NONE, energy(row.spread, None))
                for row in found.species
            ],
        )


def _electrons(found: list[ElectronsRow]) -> Sheet:
    rows: list[tuple[str, ...]] = []
    for row in found:
        seen = row.document
        if seen is None:
            continue
        rows.append(
            (
                row.system,
                row.state,
                signed(seen.transferred, None),
                energy(seen.moved, None),
                signed(seen.bader.fragment, None),
                NONE if seen.lowdin is None else f"{seen.lowdin.spilling:.3f}",
            )
        )
    return Sheet(
        "electrons",
        "Electrons (e): that cross to the fragment, that change their place, Bader charge of the fragment; spilling",
        ("System", "State", "To fragment", "Moved", "Bader", "Spilling"),
        rows,
    )


def _published(found: PublishedDoc, which: str) -> Sheet:
    return Sheet(
        "published",
        f"The {which} barrier (eV) beside that of {found.source}",
        ("System", "Hop", "Here", "±", "Published", "Difference"),
        [
            (
                row.system,
                row.hop,
                energy(row.here, row.uncertainty),
                shown(written_uncertainty(row.uncertainty)),
                energy(row.published, None),
                signed(None if row.here is None else row.here - row.published, None),
            )
            for row in found.rows
        ],
    )


def _frequencies(study: StudyDoc) -> Sheet:
    rows = rate_rows(study)
    return Sheet(
        "rates",
        "Rates of the hops (1/s), D (cm²/s); attempt frequency (Hz) of the ion alone",
        ("System", "Hop", "Attempt frequency", "T (K)", "Rate", "D"),
        [
            (
                row["system"],
                row["hop"],
                f"{row['attempt_frequency']:.2e}{'' if row['computed'] else ' (usual)'}",
                f"{row['temperature']:g}",
                f"{row['rate']:.2e}",
                NONE if row["diffusivity"] is None else f"{row['diffusivity']:.2e}",
            )
            for row in rows
        ],
    )
