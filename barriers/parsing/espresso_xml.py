"""``data-file-schema.xml`` of an image of Quantum ESPRESSO."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from ase import units

from barriers.engines.espresso.results import SCHEMA
from barriers.parsing.espresso_atoms import Told, pseudopotentials
from barriers.parsing.files import plain_name, read_text
from barriers.parsing.found import Check, FoundBand


def image_file(folder: Path, prefix: str, image: int, name: str) -> list[Path]:
    """Find a file of an image in the outdir nearest to the folder: ``*/PREFIX_1/NAME``; several, or none."""
    for depth in range(4):
        found = sorted(folder.glob("*/" * depth + f"{prefix}_{image}/{name}*"))
        if found := [path for path in found if plain_name(path) == name.rpartition("/")[2]]:
            return found
    return []


def xmls(folder: Path, prefix: str, image: int) -> list[Told]:
    """Read the XML of an image, or of several runs of it; the energy shows which is of a path file.

    Raises
    ------
    ValueError
        If one is not whole.
    """
    found = []
    for path in image_file(folder, prefix, image, SCHEMA.format(prefix)):
        try:
            found.append(from_xml(path))
        except (ElementTree.ParseError, AssertionError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path}: not whole: copy it again, or take it away") from error
    return found


def check_outdir(found: FoundBand, outdir: list[list[Told]]) -> Check:
    """See whether the outdir is that of the path file: an image's XML has its energy."""
    seen = [str(candidates[0].path) if candidates else "none" for candidates in outdir]
    strange = [n for n, image in enumerate(found.images) if outdir[n] and image.cell is None]
    if not strange:
        return Check("outdir", "ok" if any(outdir) else "unknown", seen)
    told = f"{seen[strange[0]]} does not have the energy of {found.call(strange[0])}"
    return Check("outdir", "doubtful", seen, f"{told}: it is another run's, and its settings were not read")


def from_xml(path: Path) -> Told:
    """Read ``data-file-schema.xml`` of an image; its positions and forces may be another image's, and are left."""
    root = ElementTree.fromstring(read_text(path))
    atoms = root.find("output/atomic_structure")
    atoms = root.find("input/atomic_structure") if atoms is None else atoms
    assert atoms is not None
    cell = [[float(x) for x in str(atoms.findtext(f"cell/a{row}")).split()] for row in (1, 2, 3)]
    kinds = {
        kind.attrib["name"]: (float(kind.findtext("mass") or 0), (kind.findtext("pseudo_file") or "").strip())
        for kind in root.findall("input/atomic_species/species")
    }
    reached = root.findtext("output/convergence_info/scf_conv/convergence_achieved")
    return Told(
        path,
        [atom.attrib["name"].strip() for atom in atoms.iter("atom")],
        np.array(cell) * units.Bohr,
        kinds,
        dict(_xml_settings(root)) | {"pseudopotentials": pseudopotentials(kinds)},
        None if reached is None else reached.strip() == "true",
        energy=float(root.findtext("output/total_energy/etot") or "nan") * units.Hartree,
    )


def _xml_settings(root: ElementTree.Element) -> Iterator[tuple[str, str]]:
    def text(name: str) -> str:
        return (root.findtext(f"input/{name}") or "").strip()

    creator = root.find("general_info/creator")
    yield "version", "unknown" if creator is None else creator.attrib.get("VERSION", "unknown")
    yield "functional", text("dft/functional")
    for name in ("ecutwfc", "ecutrho"):
        yield name, f"{2 * float(text(f'basis/{name}')):g} Ry"
    yield "nspin", "4" if text("spin/noncolin") == "true" else "2" if text("spin/lsda") == "true" else "1"
    smearing = root.find("input/bands/smearing")
    width = "" if smearing is None else f" {smearing.text} {2 * float(smearing.attrib['degauss']):g} Ry"
    yield "occupations", text("bands/occupations") + width
    yield "tot_charge", f"{float(text('bands/tot_charge') or 0):g}"
    mesh = root.find("input/k_points_IBZ/monkhorst_pack")
    points = " ".join(mesh.attrib.values()) if mesh is not None else f"{text('k_points_IBZ/nk') or '?'} points"
    yield "k-points", "gamma" if text("basis/gamma_only") == "true" else points
    yield "vdW", text("dft/vdW/vdw_corr") or "none"
    given = [kind for kind in root.findall("input/dft/dftU/Hubbard_U") if float(kind.text or 0)]
    used = {str(kind.attrib): float(kind.text or 0) for kind in root.findall("output/dft/dftU/Hubbard_U")}
    shifts = []
    for kind in given:
        value = float(kind.text or 0)
        # 7.2 has Hartree in both places; 6.7 repeats the eV of its input there, and has Rydberg in its output.
        unit = units.Hartree if abs(used.get(str(kind.attrib), value) - value) < 1e-6 else 1.0
        shifts.append(f"{kind.attrib.get('specie')}-{kind.attrib.get('label')} {value * unit:.4g} eV")
    yield "Hubbard U", ", ".join(shifts) or "none"
