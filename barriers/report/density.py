"""Everything that a density is shown with, as files in one folder."""

from __future__ import annotations

from pathlib import Path

from barriers.analysis.electrons import ElectronsDoc
from barriers.files.density import charges_csv, charges_json, read_density
from barriers.report.figures.charges import draw_charges, is_slab
from barriers.report.figures.density import draw_difference, draw_planar_average, level_of
from barriers.report.figures.elf import draw_elf
from barriers.report.style import save_figure


def write_density(document: ElectronsDoc, folder: Path | str, level: float | None = None) -> list[Path]:
    """Write tables and figures of a density.

    Parameters
    ----------
    document : ElectronsDoc
        What a job gave; where the files of its grids are not where it says, what needs them is left out.
    folder : Path or str
        Made if it is not there.
    level : float or None
        Level of the surfaces of Δρ (e/Å³); None for :func:`~barriers.report.figures.density.level_of`.

    Returns
    -------
    list[Path]
        ``charges.csv`` and ``charges.json``; figures as PNG, SVG and PDF: of a slab ``bader``, and ``lowdin`` where
        there are such charges, of an interface ``planar-average`` and ``difference``, and the ELF of each bond of like
        atoms.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    tables = {"charges.csv": charges_csv(document), "charges.json": charges_json(document)}
    for name, text in tables.items():
        (folder / name).write_text(text, "utf-8")
    return [*(folder / name for name in tables), *draw_electrons(document, folder, level)]


def draw_electrons(document: ElectronsDoc, folder: Path, level: float | None = None) -> list[Path]:
    """Draw the figures of :func:`write_density` into a folder that is there."""
    figures = {}
    if is_slab(document.structure):
        figures["bader"] = draw_charges(document)[0]
    if figures and document.lowdin is not None:
        figures["lowdin"] = draw_charges(document, "lowdin")[0]
    if document.difference is not None:
        figures["planar-average"] = draw_planar_average(document)[0]
        if grids_are_here(document):
            difference = read_density(document, "difference")
            figures["difference"] = draw_difference(
                document, difference, level_of(difference) if level is None else level
            )[0]
    like = [bond for bond in document.bonds if bond.elements[0] == bond.elements[1]]
    if like and grids_are_here(document):
        elf = read_density(document, "elf")
        for bond in like:
            ends = zip(bond.elements, bond.atoms, strict=True)
            figures["elf-" + "-".join(f"{element}{atom}" for element, atom in ends)] = draw_elf(elf, *bond.atoms)
    return [path for name, axes in figures.items() for path in save_figure(axes, folder / name)]


def grids_are_here(document: ElectronsDoc) -> bool:
    """Whether all files of a density's grids are on this machine."""
    return all(Path(grid.path).is_file() for grid in document.grids)
