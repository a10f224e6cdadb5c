"""Bands of ABINIT (``imgmov`` 5 or 2): ``PREFIX_HIST.nc``, and the output for what it does not tell."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
from ase import units
from ase.data import chemical_symbols
from numpy.typing import NDArray
from pymatgen.core import Lattice, Structure
from scipy.io import netcdf_file

from barriers.documents import EngineDoc
from barriers.parsing.ends import check_ends
from barriers.parsing.files import files_with, plain_name, read_bytes, read_text
from barriers.parsing.found import Check, FoundBand, Image, Reader, the_one

Array = NDArray[np.float64]
BANDS = {5: "NEB", 2: "string"}
"""Values of ``imgmov`` that move images as a band."""
CONVERGED = "has reached energy convergence"
FILLED = 1e30
"""netCDF fills what was never written with larger numbers."""


def read_abinit_band(place: Path, band: str | None = None) -> FoundBand | None:
    """Read the last step of a band of ABINIT.

    Returns
    -------
    FoundBand or None
        None where no history of a band lies.

    Raises
    ------
    SeveralBandsError
        If there are several, and none is named.
    ValueError
        If the history is not whole, or of another format.
    """
    paths = place.glob("*_HIST.nc*") if place.is_dir() else [place] if "_HIST.nc" in place.name else []
    histories = {plain_name(path).removesuffix("_HIST.nc"): path for path in sorted(paths, reverse=True)}
    found = {name: data for name, path in histories.items() if (data := _history(path))}
    folder = place if place.is_dir() else place.parent
    if (one := the_one(folder, found, band)) is None:
        return None
    name, data = one
    path = histories[name]
    if max(float(np.abs(data[key][-1]).max()) for key in ("etotal", "xcart", "fcart")) > FILLED:
        raise ValueError(f"{path}: its last step is not whole: restart the band from it")
    energies = data["etotal"][-1]
    output, text = _output(folder, data["etotal"][-1])
    structure = Structure(
        Lattice(data["rprimd"][-1][0] * units.Bohr),
        [chemical_symbols[round(float(data["znucl"][int(kind) - 1]))] for kind in data["typat"]],
        data["xcart"][-1][0] * units.Bohr,
        coords_are_cartesian=True,
        site_properties={"selective_dynamics": _free(text, len(data["typat"])).tolist()},
    )
    version = re.search(r"Version +(\S+) +of ABINIT", text)
    engine = EngineDoc(kind="abinit", name="ABINIT", version=version[1] if version else "unknown")
    band_found = FoundBand(folder, engine, structure, [], [str(path)] * len(energies), name=name)
    for number, energy in enumerate(energies):
        image = Image(data["xcart"][-1][number] * units.Bohr, float(energy * units.Hartree))
        image.forces = data["fcart"][-1][number] * units.Hartree / units.Bohr
        image.cell = data["rprimd"][-1][number] * units.Bohr
        image.files = [str(one) for one in (path, output) if one is not None]
        image.settings, image.steps = _settings(text), len(data["etotal"])
        image.free, image.electrons = _free(text, len(data["typat"])), _electrons(text, number + 1)
        band_found.images.append(image)
    ends = check_ends(band_found, "unwrap xcart_lastimg and run it again")
    band_found.checks += [ends, _converged(path, output, text)]
    return band_found


def _history(path: Path) -> dict[str, Array] | None:
    """Variables of a history; None where it is not a band's."""
    try:
        content = read_bytes(path)
        if content[1:4] == b"HDF":
            raise ValueError("it is netCDF-4; convert it with nccopy -k classic")
        with netcdf_file(io.BytesIO(content), mmap=False) as data:
            found = {name: np.array(data.variables[name][()], dtype=float) for name in data.variables}
    except (TypeError, ValueError, IndexError, KeyError) as error:
        raise ValueError(f"{path}: cannot be read: {error or type(error).__name__}") from error
    if int(found.get("imgmov", np.zeros(()))) not in BANDS or found["etotal"].ndim != 2 or found["etotal"].shape[1] < 3:
        return None
    if len(found["znucl"]) != len(found["amu"]):
        raise ValueError(f"{path}: alchemical mixtures have no species")
    return found


def _output(folder: Path, energies: Array) -> tuple[Path | None, str]:
    """The output whose last energies are these; images that do not move stand only in its first step."""
    for path in files_with(folder, "of ABINIT"):
        text = read_text(path)
        said = np.array(re.findall(r"total_energy +: +(\S+)", text), dtype=float)
        if all(np.abs(said - energy).min(initial=1.0) < 1e-9 for energy in energies):
            return path, text
    return None, ""


def _variable(text: str, name: str) -> list[str]:
    """Values of an input variable in the output's echo, which goes on over lines without a name."""
    match = re.search(rf"^[-P ]? +{name} +((?:[-+.\dE]+\s+)+)", text, re.M)
    return match[1].split() if match else []


def _free(text: str, atoms: int) -> NDArray[np.bool_]:
    free = np.ones((atoms, 3), dtype=bool)
    for name, directions in (("iatfix", [0, 1, 2]), ("iatfixx", [0]), ("iatfixy", [1]), ("iatfixz", [2])):
        for atom in _variable(text, name):
            free[int(atom) - 1, directions] = False
    return free


def _settings(text: str) -> dict[str, str]:
    names = ("ecut", "pawecutdg", "nsppol", "nspden", "nkpt", "occopt", "tsmear", "ixc", "charge")
    return {name: " ".join(values) for name in names if (values := _variable(text, name))}


def _electrons(text: str, image: int) -> bool | None:
    """Whether the last calculation of an image converged; an image that does not move has only its first one."""
    parts = re.split(r"CELL # +(\d+)/ +\d+\n", text)
    own = [body for number, body in zip(parts[1::2], parts[2::2], strict=True) if int(number) == image]
    return None if not own else "was not enough SCF cycles" not in own[-1]


def _converged(path: Path, output: Path | None, text: str) -> Check:
    """Say what the output says; ABINIT looks at the mean change of energies alone."""
    name = "relaxed"
    if output is None:
        says = f"no output beside {path} ends with its energies, and only it tells fixed atoms and convergence"
        return Check(name, "doubtful", ["no output"], f"{says}; copy it (.abo) here")
    tolerance = (_variable(text, "tolimg") or ["5.0E-05"])[0]
    if CONVERGED not in text:
        return Check(name, "wrong", ["no"], f"no '{CONVERGED}' in {output}: steps were used up; raise ntimimage")
    says = (
        f"ABINIT looks at the energies' change alone (tolimg {float(tolerance):g} Ha), not at forces: where the force "
        "across the path is large, lower tolimg and go on"
    )
    return Check(name, "doubtful", [f"tolimg {float(tolerance):g} Ha, says {output}"], says)


READER = Reader(
    "ABINIT",
    read_abinit_band,
    files="PREFIX_HIST.nc of a band",
    energies="PREFIX_HIST.nc",
    forces="PREFIX_HIST.nc",
    cell="PREFIX_HIST.nc",
    frozen="iatfix in the output",
    convergence="the output, by energies alone, so the force across the path is looked at",
    versions="9.6.2",
)
