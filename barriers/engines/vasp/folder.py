"""Folder of one calculation: where VASP writes in it and how far it is."""

from __future__ import annotations

from pathlib import Path

from barriers.engines.vasp.outputs import all_outcars, image_folders, read_outcar, usable_steps

OUTPUTS = ("OUTCAR", "OSZICAR", "CONTCAR", "XDATCAR", "vasprun.xml")


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


def converged(folder: Path) -> bool:
    """Whether, besides, that step met ``EDIFFG``."""
    return evaluated(folder) and all(getattr(read_outcar(place), "converged", False) for place in places(folder))


def archive(place: Path) -> None:
    """Number the files of a run that is over, so that its steps stay readable."""
    if not any((place / name).exists() for name in OUTPUTS):
        return
    number = 1 + max((int(path.suffix[1:]) for path in place.glob("O*.*") if path.suffix[1:].isdigit()), default=0)
    for name in OUTPUTS:
        if (place / name).exists():
            (place / name).rename(place / f"{name}.{number}")
