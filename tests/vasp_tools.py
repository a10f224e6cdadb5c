"""What the tests of the VASP engine share: POTCARs of their own making, the stand-in, recorded files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from ase import Atoms
from ase.io import write
from conftest import ROOT

RECORDED = ROOT.parent / "shared" / "recorded"
NH3 = RECORDED / "vasp_neb_nh3"
COMMAND = f"{sys.executable} {Path(__file__).parent / 'vasp_standin' / 'vasp.py'}"

POTCAR = """  PAW_PBE {symbol} 01Jan2001
   3.00000000000000
 parameters from PSCTR are:
   VRHFIN ={element}: made up for tests
   LEXCH  = PE
   TITEL  = PAW_PBE {symbol} 01Jan2001
   POMASS =   1.0; ZVAL   =    3.000    mass and valenz
   ENMAX  =  240.300; ENMIN  =  180.225 eV
 END of PSCTR-controll parameters
 local part
 1.0 2.0
 End of Dataset
"""


def write_potcars(folder: Path, *symbols: str) -> Path:
    """Make POTCARs that hold a title and nothing else, where pymatgen looks for the set PBE_54."""
    for symbol in symbols:
        place = folder / "POT_GGA_PAW_PBE_54" / symbol
        place.mkdir(parents=True)
        (place / "POTCAR").write_text(POTCAR.format(symbol=symbol, element=symbol.partition("_")[0]), "utf-8")
    return folder


def run_standin(folder: Path, images: Sequence[Atoms], incar: dict[str, object], **faults: object) -> None:
    """Write a band, or one structure, by hand and run the stand-in on it."""
    names = [f"{number:02d}" for number in range(len(images))] if len(images) > 1 else ["."]
    for name, image in zip(names, images, strict=True):
        (folder / name).mkdir(parents=True, exist_ok=True)
        write(folder / name / "POSCAR", image, format="vasp", direct=True)
        (folder / name / "KPOINTS").write_text("Gamma\n0\nGamma\n1 1 1\n", "utf-8")
    (folder / "KPOINTS").write_text("Gamma\n0\nGamma\n1 1 1\n", "utf-8")
    species = dict.fromkeys(images[0].get_chemical_symbols())
    (folder / "POTCAR").write_text("".join(POTCAR.format(symbol=s, element=s) for s in species), "utf-8")
    counts = {"IMAGES": len(images) - 2} if len(images) > 1 else {}
    lines = [f"{key} = {value}" for key, value in {**incar, **counts}.items()]
    (folder / "INCAR").write_text("\n".join(lines) + "\n", "utf-8")
    environment = {**os.environ, "VASP_STANDIN": json.dumps(faults)}
    subprocess.run(COMMAND.split(), cwd=folder, env=environment, check=False, stdout=subprocess.DEVNULL)
