"""Reading NEB folders that anyone made, with VASP, Quantum ESPRESSO or ASE: profile, barrier, checks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from barriers.documents import StudyDoc
from barriers.parsing import abinit, ase_files, cp2k, eon, espresso, lammps, other_codes, vasp, vtst
from barriers.parsing.endpoints import use_endpoints
from barriers.parsing.found import FoundBand, Reader, SeveralBandsError
from barriers.parsing.referee import judge
from barriers.parsing.result import barrier_document, distinct_names, one_study, plain_stem
from barriers.parsing.segments import are_segments, joined_document

READERS: tuple[Reader, ...] = (
    vasp.READER,
    vtst.READER,
    espresso.READER,
    cp2k.READER,
    abinit.READER,
    lammps.READER,
    eon.READER,
    other_codes.READER,
    ase_files.READER,
)
"""All are asked; each gives None for what is not its own."""

GENERAL = (other_codes.READER, ase_files.READER)
"""Beside a code's band they may stumble over files of its own, such as its .xyz, which they need not understand."""


def find_band(place: Path, band: str | None = None) -> FoundBand:
    """Recognise the band in a folder, or in a file, and read it.

    Parameters
    ----------
    place : Path
        Folder of a NEB calculation, or the file that is to be read.
    band : str or None
        Name of the band, where there are several.

    Raises
    ------
    ValueError
        One line, if there is no such place, nothing in it is a band, its files cannot be read, or several bands lie
        there and none is named.
    """
    if not (place.is_dir() or place.is_file()):
        raise ValueError(f"{place}: no such folder or file")
    found: list[FoundBand] = []
    names: list[str] = []
    for reader in READERS:
        try:
            one = reader.read(place, band)
        except SeveralBandsError as several:
            names += several.names
        except ValueError:
            if reader not in GENERAL or not names:
                raise
        else:
            if one is not None and (reader not in GENERAL or not names or _has_energies(one)):
                found.append(one)
                names.append(one.name)
    if len(names) > 1:
        raise SeveralBandsError(place, names)
    if found:
        return found[0]
    raise ValueError(
        f"{place}: no NEB here{f' that is called {band}' if band else ''}{vasp.misnamed(place)}; looked for "
        + "; ".join(f"{reader.files} ({reader.code})" for reader in READERS)
    )


def _has_energies(band: FoundBand) -> bool:
    """Whether a band is more than the pictures of one, which codes and their users leave beside it."""
    return any(image.energy is not None for image in band.images)


def parse_folder(
    place: Path, endpoints: tuple[str, str] | None = None, band: str | None = None, fmax: float | None = None
) -> StudyDoc:
    """Read the barrier off a NEB folder.

    Parameters
    ----------
    place : Path
        Folder of a NEB calculation, or a file that holds one.
    endpoints : tuple[str, str] or None
        Where the energies of the endpoints are: a folder or file of a calculation, or a number (eV).
    band : str or None
        Name of the band, where there are several.
    fmax : float or None
        Largest force across the path (eV/Å) that is accepted; None leaves that to what the code says.

    Returns
    -------
    StudyDoc
        With one barrier; without one, but with the reason, where the band is not whole or not converged.

    Raises
    ------
    ValueError
        One line, if the folder holds no band or the endpoints do not belong to it.
    """
    return parse_folders([place], None, endpoints, band, fmax)


def parse_folders(
    places: Sequence[Path],
    names: Sequence[str] | None = None,
    endpoints: tuple[str, str] | None = None,
    band: str | None = None,
    fmax: float | None = None,
) -> StudyDoc:
    """Read the barriers off several NEB folders, and compare them; or join them, where each ends as the next begins.

    Parameters
    ----------
    places : Sequence[Path]
        Folders or files, the first one the reference.
    names : Sequence[str] or None
        What they are called; None: after their folders, and segments of one path are joined.
    endpoints, band, fmax
        As for :func:`parse_folder`; endpoints for one band only.

    Raises
    ------
    ValueError
        One line, if a place holds no band, or names or endpoints do not fit.
    """
    if endpoints is not None and len(places) > 1:
        raise ValueError(f"--endpoints: {len(places)} bands given; allowed: one")
    if names is not None and (len(names) != len(places) or len(set(names)) < len(names) or not all(names)):
        raise ValueError(f"--names: {','.join(names)}; allowed: {len(places)} different names, one for each band")
    found = [find_band(place, band) for place in places]
    if endpoints is not None:
        use_endpoints(found[0], endpoints)
    if len(found) > 1 and names is None and are_segments(found):
        return one_study([joined_document(found, fmax, "-".join(map(plain_stem, places)))])
    called = names or distinct_names(places)
    return one_study([barrier_document(one, judge(one, fmax), name) for one, name in zip(found, called, strict=True)])
