"""The last step of ``vasprun.xml`` or ``vaspout.h5``, with its free energy: others take E0 from them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import numpy as np
from numpy.typing import NDArray

from barriers.parsing.files import read_bytes
from barriers.parsing.found import Image
from barriers.parsing.outcar_head import tidy

PARAMETERS = {
    "ENMAX": "ENCUT",
    **{name: name for name in ("ISPIN", "LNONCOLLINEAR", "LSORBIT", "LREAL", "NELECT", "ISMEAR", "SIGMA", "LHFCALC")},
}
"""Parameters that enter the energy, and what OUTCAR calls them."""


def read_vasprun(path: Path) -> Image:
    """Read the last ionic step of a ``vasprun.xml``.

    Raises
    ------
    ValueError
        One line, if it is not whole, or has no step.
    """
    kept: dict[str, Any] = {"calculations": 0}
    try:
        for _, element in Xml.iterparse(io.BytesIO(read_bytes(path))):
            if element.tag == "calculation":
                kept |= {"calculations": kept["calculations"] + 1, **_step(element)}
                element.clear()
            elif element.tag in {"parameters", "atominfo", "generator", "incar", "kpoints"}:
                kept.setdefault(element.tag, element)
    except Xml.ParseError as error:
        raise ValueError(f"{path}: is not whole: VASP was stopped while it wrote it") from error
    if not kept["calculations"] or "atominfo" not in kept or kept["energy"] is None:
        raise ValueError(f"{path}: has no whole ionic step")
    return _image(path, kept)


def _step(element: Xml.Element) -> dict[str, Any]:
    energy = element.find("energy/i[@name='e_fr_energy']")
    return {
        "energy": None if energy is None else float(energy.text or "nan"),
        "cell": _rows(element.find("structure/crystal/varray[@name='basis']")),
        "positions": _rows(element.find("structure/varray[@name='positions']")),
        "forces": _rows(element.find("varray[@name='forces']")),
        "cycles": len(element.findall("scstep")),
    }


def _image(path: Path, kept: dict[str, Any]) -> Image:
    values = {
        each.attrib["name"]: (each.text or "").strip()
        for tag in ("incar", "parameters")
        if tag in kept
        for each in kept[tag].iter("i")
    }
    settings = {known: tidy(values[name]) for name, known in PARAMETERS.items() if name in values}
    version = next((i.text for i in kept.get("generator", []) if i.attrib.get("name") == "version"), None)
    titles = [(row[-1].text or "").strip() for row in kept["atominfo"].findall("array[@name='atomtypes']/set/rc")]
    if titles and all(" " in title for title in titles):
        settings["POTCAR"] = ", ".join(titles)
    settings |= _hubbard(kept, values, len(titles)) | _mesh(kept.get("kpoints"))
    if version:
        settings["version"] = version.strip()
    limit, allowed = int(values.get("NELM", 0)), int(values.get("NSW", 0))
    electrons = None if not limit else kept["cycles"] < limit
    relaxed = None if allowed < 2 else kept["calculations"] < allowed
    words = f"the last step of {path} took all of NELM = {limit} cycles" if electrons is False else ""
    if relaxed is False:
        words = words or f"{path} has all of NSW = {allowed} steps"
    return Image(
        kept["positions"] @ kept["cell"],
        kept["energy"],
        kept["forces"] if len(kept["forces"]) else None,
        files=[str(path)],
        settings=settings,
        steps=kept["calculations"],
        relaxed=relaxed,
        electrons=electrons,
        cell=kept["cell"],
        species=[(rc[0].text or "").strip() for rc in kept["atominfo"].findall("array[@name='atoms']/set/rc")],
        words=words,
    )


def _hubbard(kept: dict[str, Any], values: dict[str, str], types: int) -> dict[str, str]:
    """U of each type, as OUTCAR says it."""
    if values.get("LDAU") != "T":
        return {"LDAUU": "none"} if values else {}
    rows = [v for tag in ("parameters", "incar") if tag in kept for v in kept[tag].iter("v")]
    found = {v.attrib.get("name", ""): (v.text or "").split() for v in rows}
    names = ("LDAUL", "LDAUU", "LDAUJ")
    return {name: tidy(" ".join(found[name])) for name in names if len(found.get(name, [])) == types}


def _mesh(kpoints: Xml.Element | None) -> dict[str, str]:
    """Mesh and number of its irreducible points."""
    if kpoints is None:
        return {}
    divisions = kpoints.find("generation/v[@name='divisions']")
    points = kpoints.findall("varray[@name='kpointlist']/v")
    found = {} if divisions is None else {"k-mesh": tidy(divisions.text or "")}
    return found | ({"NKPTS": str(len(points))} if points else {})


def _rows(table: Xml.Element | None) -> NDArray[np.float64]:
    rows = [] if table is None else [(v.text or "").split() for v in table.findall("v")]
    return np.array(rows, dtype=float).reshape(-1, 3)


def read_vaspout(path: Path) -> Image:
    """Read the last ionic step of a ``vaspout.h5`` (VASP 6).

    Raises
    ------
    ValueError
        One line, if h5py is not installed or the file has no ionic step.
    """
    try:
        import h5py
    except ImportError as error:
        raise ValueError(f"{path}: needs the package h5py; or give OUTCAR or vasprun.xml") from error
    try:
        with h5py.File(io.BytesIO(read_bytes(path)), "r") as file:
            steps, atoms = file["intermediate/ion_dynamics"], file["results/positions"]
            tags = [tag.decode().strip() for tag in steps["energies_tags"][()]]
            column = next(index for index, tag in enumerate(tags) if tag.startswith("free energy"))
            cell = np.array(steps["lattice_vectors"][-1], dtype=float)
            names = [name.decode().strip() for name in atoms["ion_types"][()]]
            counts = atoms["number_ion_types"][()]
            return Image(
                np.array(steps["position_ions"][-1], dtype=float) @ cell,
                float(steps["energies"][-1][column]),
                np.array(steps["forces"][-1], dtype=float),
                files=[str(path)],
                steps=len(steps["energies"]),
                cell=cell,
                species=[name for name, count in zip(names, counts, strict=True) for _ in range(count)],
            )
    except (OSError, KeyError, IndexError, StopIteration) as error:
        raise ValueError(f"{path}: has no whole ionic step") from error
