"""Electrons of an image of a band as ``neb.x`` left it, in the folder ``PREFIX_i`` of its outdir."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from ase.io.espresso import label_to_symbol
from ase.units import Bohr
from pymatgen.core import Lattice, Structure

from barriers.analysis.electrons import ElectronsDoc, GridDoc
from barriers.engines.density import Electrons, electron_numbers
from barriers.engines.espresso.command import parse_command
from barriers.engines.espresso.density import about_elf, check_programs, lowdin_charges, reference_in_words
from barriers.engines.espresso.inputs import PREFIX
from barriers.engines.espresso.post import kind_of, make_cube
from barriers.engines.espresso.pseudopotentials import upf_header
from barriers.engines.espresso.results import SCHEMA
from barriers.engines.volumetric import read_for, record

STATES = ("initial", "saddle", "final")

ANEW = "allowed: a folder that neb.x left whole; else compute the image anew (engine.density().make(structure))"


@dataclass(frozen=True)
class Image:
    """What ``neb.x`` says of an image: its folder PREFIX.save, its energy (Ha), and what its electrons are of.

    Attributes
    ----------
    pseudopotentials : dict[str, Path]
        By element, as the code copied them.
    electrons : float
        Number of electrons (e).
    """

    save: Path
    energy: float
    structure: Structure
    pseudopotentials: dict[str, Path]
    electrons: float


def image_electrons(
    outdir: Path | str, image: int | str, folder: Path | str, prefix: str | None = None, command: str = "neb.x"
) -> ElectronsDoc:
    """Work out the electrons of an image from what ``neb.x`` left of it: nothing is converged again.

    Parameters
    ----------
    outdir : Path or str
        The band's ``outdir``, with a folder PREFIX_i for each image; only read.
    image : int or str
        Number of the image as ``neb.x`` counts, the initial state being 1; or ``initial``, ``saddle`` (the highest
        image) or ``final``.
    folder : Path or str
        Where grids and outputs go; a new one.
    prefix : str or None
        The band's ``prefix``; None where outdir has images of one prefix alone.
    command : str
        Command line of ``neb.x``; ``pp.x`` and ``projwfc.x`` of the same installation are started the same way.

    Returns
    -------
    ElectronsDoc
        Of the structure in one piece. Without wavefunctions in the image's folder there is neither ELF nor Löwdin's
        charges. Moments are Löwdin's alone: ``neb.x`` sums its own in spheres that are those of another image.

    Raises
    ------
    ValueError
        If there is no such image, it was cleaned, or its electrons were not converged.
    """
    programs, place = parse_command(command), Path(folder)
    check_programs(programs)
    found = _chosen(_images(Path(outdir), prefix), image)
    valence = {element: _valence(path) for element, path in found.pseudopotentials.items()}
    brought = [valence[site.specie.symbol] for site in found.structure]
    _link(found.save, place)
    kinds = {element: kind_of(path) for element, path in sorted(found.pseudopotentials.items())}
    with_cores = [element for element, kind in kinds.items() if kind == "PAW"]
    waves = any(found.save.glob("wfc*"))
    grids, records = {}, list[GridDoc]()
    for name in ("density", *(["elf"] if waves else []), *(["reference"] if with_cores else [])):
        path = make_cube(programs, place, name, None)
        grids[name] = read_for(path, found.structure, "elf" if name == "elf" else "density")
        records.append(record(name, path, grids[name], "elf" if name == "elf" else "density"))
    electrons = Electrons(
        structure=found.structure,
        valence=brought,
        density=grids["density"],
        reference=grids.get("reference"),
        elf=grids.get("elf"),
        charge=sum(brought) - found.electrons,
    )
    fields = electron_numbers(electrons, None, None, reference_in_words(with_cores))
    lowdin, said = None, ["no ELF and no Löwdin charges: the image's folder has no wavefunctions (disk_io)"]
    if waves:
        lowdin, lines = lowdin_charges(programs, place, None, brought)
        said = [*about_elf(kinds), *lines]
    return ElectronsDoc(**{**fields, "warnings": [*fields["warnings"], *said]}, lowdin=lowdin, grids=records)


def _images(outdir: Path, prefix: str | None) -> dict[int, Path]:
    """Give the folders PREFIX.save of all images by number."""
    of_prefix: dict[str, dict[int, Path]] = {}
    for place in outdir.glob("*_*"):
        name, _, number = place.name.rpartition("_")
        if number.isdigit() and place.is_dir():
            of_prefix.setdefault(name, {})[int(number)] = place / f"{name}.save"
    if not of_prefix:
        raise ValueError(f"{outdir}: no folders PREFIX_1, PREFIX_2, … of images; allowed: the outdir of a run of neb.x")
    names = ", ".join(sorted(of_prefix))
    if prefix is None and len(of_prefix) > 1:
        raise ValueError(f"{outdir}: images of several bands; say which (prefix): {names}")
    chosen = next(iter(of_prefix)) if prefix is None else prefix
    if chosen not in of_prefix:
        raise ValueError(f"{outdir}: no images of prefix {chosen!r}; allowed: {names}")
    return of_prefix[chosen]


def _chosen(images: dict[int, Path], image: int | str) -> Image:
    numbers = sorted(images)
    whole = numbers == list(range(1, len(numbers) + 1))
    if image == "saddle" and whole:
        return max((_read(images[number]) for number in numbers), key=lambda each: each.energy)
    ends = {"initial": 1, "final": numbers[-1]} if whole else {}
    number = ends.get(image, 0) if isinstance(image, str) else image
    if number not in images:
        raise ValueError(f"image: {image!r}; allowed: {', '.join(map(str, (*numbers, *(STATES if whole else ()))))}")
    return _read(images[number])


def _read(save: Path) -> Image:
    """Read what ``neb.x`` left of an image, if it is whole."""
    missing = [name for name in (Path(SCHEMA).name, "charge-density.*") if not any(save.glob(name))]
    if missing:
        raise ValueError(f"{save}: no {' and no '.join(missing)}, it was cleaned or never written; {ANEW}")
    try:
        output = ElementTree.parse(save / Path(SCHEMA).name).getroot().find("output")
        assert output is not None
        if output.findtext("convergence_info/scf_conv/convergence_achieved", "").strip() != "true":
            raise ValueError(f"{save}: its electrons were not converged; {ANEW}")
        atoms = output.findall("atomic_structure/atomic_positions/atom")
        cell = [str(output.findtext(f"atomic_structure/cell/a{axis}")).split() for axis in (1, 2, 3)]
        files = {
            label_to_symbol(species.attrib["name"]): save / str(species.findtext("pseudo_file")).strip()
            for species in output.findall("atomic_species/species")
        }
        return Image(
            save,
            float(str(output.findtext("total_energy/etot"))),
            Structure(
                Lattice(np.array(cell, dtype=float) * Bohr),
                [label_to_symbol(atom.attrib["name"]) for atom in atoms],
                np.array([str(atom.text).split() for atom in atoms], dtype=float) * Bohr,
                coords_are_cartesian=True,
            ),
            files,
            float(str(output.findtext("band_structure/nelec"))),
        )
    except (ElementTree.ParseError, AssertionError, KeyError) as error:
        raise ValueError(f"{save}: {Path(SCHEMA).name} is not whole ({error}); {ANEW}") from None


def _valence(path: Path) -> float:
    header = upf_header(path.read_text("utf-8", "replace")) if path.is_file() else None
    if header is None or not header[1]:
        raise ValueError(f"{path}: no pseudopotential in UPF that says its valence electrons; {ANEW}")
    return header[1]


def _link(save: Path, place: Path) -> None:
    """Make an outdir of links to an image's files, so that what the programs write goes there."""
    if place.exists() and any(place.iterdir()):
        raise ValueError(f"folder: {place} is not empty; allowed: a new one")
    inside = place / "out" / f"{PREFIX}.save"
    inside.mkdir(parents=True)
    for path in save.iterdir():
        (inside / path.name).symlink_to(path.resolve())
