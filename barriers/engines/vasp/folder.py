"""Folder of one calculation: where VASP writes in it and how far it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pymatgen.io.vasp import Incar

from barriers.engines.vasp.outputs import StepOutcar, all_outcars, image_folders, read_outcar, usable_steps

OUTPUTS = ("OUTCAR", "OSZICAR", "CONTCAR", "XDATCAR", "vasprun.xml")

CLOSE = 1.001
"""A largest force is met within this factor: OUTCAR has five decimals of positions, so springs are not known better."""

NEARLY = 1.1
"""The same where VASP says that it is met. VTST's own number and ours agree to four digits in recorded runs."""

OTHER_TANGENTS = ("LTANGENTOLD", "LDNEB", "LDNEBORG")
"""Keywords of VTST that change how forces are projected."""


def places(folder: Path) -> list[Path]:
    """Folders in which VASP writes: the intermediate images of a band, else the folder itself."""
    return image_folders(folder)[1:-1] or [folder]


def steps_done(folder: Path) -> int:
    """Steps that every place has whole, all runs together."""
    runs = zip(*([len(outcar.steps) for outcar in all_outcars(place)] for place in places(folder)), strict=False)
    return sum(min(run) for run in runs)


def evaluated(folder: Path) -> bool:
    """Whether the newest run ended in peace, its last step self-consistent and finite in every place."""
    newest = [read_outcar(place) for place in places(folder)]
    return all(
        outcar is not None and outcar.finished and usable_steps(outcar)[-1:] == outcar.steps[-1:] != []
        for outcar in newest
    )


@dataclass(frozen=True)
class Goal:
    """What the newest step of a calculation has to be.

    VASP's sentence alone is not trusted, nor is it waited for: codes that behave like VASP do not write it.

    Attributes
    ----------
    fmax : float or None
        Largest force (eV/Å); None for a single evaluation.
    force : callable
        Gives that of the newest step in a folder.
    """

    fmax: float | None = None
    force: Callable[[Path], float] = lambda _: 0.0

    def met(self, folder: Path) -> bool:
        """Whether the newest run ended in peace with it."""
        if not evaluated(folder) or self.fmax is None:
            return evaluated(folder)
        if not self.said(folder):
            return self.force(folder) <= CLOSE * self.fmax
        return _of_other_tangents(folder) or self.force(folder) <= NEARLY * self.fmax

    def said(self, folder: Path) -> bool:
        """Whether VASP says of every place that it met ``EDIFFG``."""
        return all(outcar.converged for outcar in _newest(folder))


def _of_other_tangents(folder: Path) -> bool:
    """Whether a folder's band feels other forces than ours: VASP's own without VTST, or what VTST has besides."""
    if not image_folders(folder):
        return False
    incar = Incar.from_file(folder / "INCAR")
    return not any(outcar.vtst for outcar in _newest(folder)) or any(incar.get(name) for name in OTHER_TANGENTS)


def _newest(folder: Path) -> list[StepOutcar]:
    found = [read_outcar(place) for place in places(folder)]
    return [outcar for outcar in found if outcar is not None]


def archive(place: Path) -> None:
    """Number the files of a run that is over, so that its steps stay readable."""
    if not any((place / name).exists() for name in OUTPUTS):
        return
    number = 1 + max((int(path.suffix[1:]) for path in place.glob("O*.*") if path.suffix[1:].isdigit()), default=0)
    for name in OUTPUTS:
        if (place / name).exists():
            (place / name).rename(place / f"{name}.{number}")
