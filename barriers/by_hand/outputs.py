"""Whether outputs are of the input files beside them, by what the codes say of themselves in their outputs."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ase.io.espresso import read_fortran_namelist
from pymatgen.core import Structure
from pymatgen.io.vasp import Incar, Kpoints, Poscar, PotcarSingle

from barriers.by_hand.compare import moved
from barriers.engines.espresso.files import outputs
from barriers.engines.espresso.inputs import PREFIX, Case
from barriers.engines.espresso.outputs import read_path
from barriers.engines.espresso.path_files import PATH
from barriers.engines.espresso.results import read_results, results_file
from barriers.engines.vasp.folder import places
from barriers.engines.vasp.outputs import all_outcars
from barriers.parsing.espresso_atoms import Told
from barriers.parsing.espresso_xml import from_xml, xmls
from barriers.parsing.outcar_head import tidy
from barriers.parsing.vasp_image import read_step

IN_OUTCAR = {
    "ENCUT", "ISPIN", "LASPH", "ISMEAR", "SIGMA", "LDIPOL", "IDIPOL", "IVDW", "LHFCALC", "AEXX",
    "LDAUTYPE", "LDAUL", "LDAUU", "LDAUJ",
}  # fmt: skip
"""Keywords that OUTCAR repeats as they are; it has T for ``LREAL = Auto``, and ``accura`` for ``PREC = Accurate``."""

DECIMALS = {"ENCUT": 1, "SIGMA": 2, "LDAUU": 1, "LDAUJ": 1}
"""Decimals of numbers in OUTCAR, where they are few."""

ROUNDED = 1e-3
"""Positions in outputs have fewer digits than in inputs (Å)."""


def has_outputs(folder: Path) -> bool:
    """Whether a code has run here."""
    return any(True for name in ("pw.*.out", "neb.*.out", "**/OUTCAR*") for _ in folder.glob(name))


def espresso_version(folder: Path) -> str:
    """Version of Quantum ESPRESSO that left the outputs here."""
    for path in [*outputs(folder, "pw"), *outputs(folder, "neb")]:
        if found := re.search(r"Program (?:PWSCF|NEB) v\.(\S+)", path.read_text("utf-8", "replace")):
            return found[1]
    raise ValueError(f"{folder}: no output that says its version")


def check_espresso(folder: Path, structures: Sequence[Structure], case: Case) -> None:
    """See that outputs of Quantum ESPRESSO are of the inputs beside them, and of these structures.

    Parameters
    ----------
    folder : Path
        Of a calculation.
    structures : sequence of Structure
        That which it starts from; of a band, both ends.
    case : Case
        Its pseudopotentials.

    Raises
    ------
    ValueError
        One line for what is of another calculation.
    """
    if (folder / "neb.1.in").exists():
        state = read_path(folder / PATH)
        told = [each for image in range(1, len(state.energies) + 1) for each in xmls(folder, PREFIX, image)]
        source, kept, starts = "neb.1.in", PATH, [state.positions[0], state.positions[-1]]
    else:
        path = results_file(folder)
        results = read_results(path)
        start = None if results is None else results.start
        told = [] if start is None else [from_xml(path)]
        source, kept, starts = "pw.1.in", path.name, [start]
    if not told:
        raise ValueError(f"{folder / 'out'}: no data-file-schema.xml: bring the whole outdir, wavefunctions aside")
    wanted = _settings((folder / source).read_text("utf-8"))
    for each in told:
        _compare(each.path, wanted, each.settings)
        _same_atoms(each, structures[0])
    for found, structure in zip(starts, structures, strict=True):
        if (line := moved(found, structure.cart_coords, structure.lattice.matrix, ROUNDED)) is not None:
            raise ValueError(f"{folder}: {kept}: {line} from where the study has it")
    sums = {
        md5
        for path in folder.rglob("*.out")
        for md5 in re.findall(r"MD5 check sum: *(\w+)", path.read_text("utf-8", "replace"))
    }
    if strange := sorted(sums - {each.md5 for each in case.pseudopotentials.values()}):
        raise ValueError(
            f"{folder}: other settings: a pseudopotential with the MD5 {strange[0]} is none of the study's"
        )


def check_vasp(folder: Path, expected: Path, potcars: Mapping[str, PotcarSingle]) -> None:
    """See that outputs of VASP are of the inputs beside them, and start where those of the study do.

    Parameters
    ----------
    folder : Path
        Of a calculation.
    expected : Path
        The study's own inputs of it.
    potcars : dict
        POTCAR of each element.

    Raises
    ------
    ValueError
        One line for what is of another calculation.
    """
    stages = [folder / name for name in ("plain", "climbing") if (folder / name).is_dir()] or [folder]
    names = (expected / "POTCAR.spec").read_text("utf-8").split()
    titles = [potcars[name.partition("_")[0]].TITEL for name in names]
    for stage in stages:
        incar = Incar.from_file(stage / "INCAR")
        mesh = " ".join(map(str, Kpoints.from_file(stage / "KPOINTS").kpts[0]))
        for place in places(stage):
            found = read_step(place)
            if found is None:
                raise ValueError(f"{place}: no OUTCAR")
            path, step = found
            if step.titles and step.titles != titles:
                raise ValueError(f"{path}: other settings: {', '.join(step.titles)}; {', '.join(titles)} expected")
            _compare(path, as_outcar(incar) | {"k-mesh": mesh}, step.settings)
            steps = [each for outcar in all_outcars(place) for each in outcar.steps]
            if steps and len(stages) == 1:
                start = Poscar.from_file(expected / "POSCAR").structure
                if (line := moved(steps[0].positions, start.cart_coords, start.lattice.matrix, ROUNDED)) is not None:
                    raise ValueError(f"{path}: {line}; of a run that was continued, keep the first OUTCAR as OUTCAR.1")


def as_outcar(incar: Incar) -> dict[str, str]:
    """What an INCAR says of what OUTCAR repeats, in its words; it has digits as far as :data:`DECIMALS`."""
    found = {"LDAUU": "none"}
    for key in IN_OUTCAR & incar.keys():
        values = incar[key] if isinstance(incar[key], list) else [incar[key]]
        words = [str(value)[0] if isinstance(value, bool) else f"{value:.{DECIMALS.get(key, 9)}f}" for value in values]
        found[key] = tidy(" ".join(words))
    return found


def _settings(text: str) -> dict[str, str]:
    """What an input says of what its output says too, in the output's words."""
    lists, cards = read_fortran_namelist(io.StringIO(text.partition("BEGIN_ENGINE_INPUT")[2] or text))
    system = lists["system"]
    rows = [line.split() for line in cards]
    at = next(number for number, row in enumerate(rows) if row[0].upper() == "K_POINTS")
    return {
        "ecutwfc": f"{system['ecutwfc']:g} Ry",
        "ecutrho": f"{system['ecutrho']:g} Ry",
        "nspin": str(system.get("nspin", 1)),
        "tot_charge": f"{float(system.get('tot_charge', 0)):g}",
        "k-points": "gamma" if rows[at][1] == "gamma" else " ".join(rows[at + 1]),
        "U": _values(
            [row[2] for row in rows if row[0] == "U"] or [v for k, v in system.items() if k.startswith("hubbard_u")]
        ),
    }


def _values(found: Sequence[Any]) -> str:
    return " ".join(sorted({f"{float(value):.4g}" for value in found}))


def _compare(path: Path, expected: Mapping[str, str], told: Mapping[str, str]) -> None:
    """Set what an output says against what it should; of what only one of them knows nothing is said."""
    found = dict(told)
    if "Hubbard U" in found:
        found["U"] = _values(re.findall(r" ([\d.e+-]+) eV", found["Hubbard U"]))
    if set(found.get("LDAUU", "").split()) == {"0"}:
        found["LDAUU"] = "none"
    for key in expected.keys() & found.keys():
        if found[key] != expected[key]:
            raise ValueError(
                f"{path}: other settings: {key} {found[key] or 'none'}, {expected[key] or 'none'} expected"
            )


def _same_atoms(told: Told, structure: Structure) -> None:
    if told.species() != [site.specie.symbol for site in structure]:
        raise ValueError(f"{told.path}: other structure: its atoms are others, or in another order")
    assert told.cell is not None
    if np.abs(told.cell - structure.lattice.matrix).max() > ROUNDED:
        raise ValueError(f"{told.path}: other structure: another cell")
