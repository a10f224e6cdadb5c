"""POTCARs, through pymatgen's configuration alone; never stored, their titles and hashes are."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from typing import Any

from pymatgen.io.vasp import PotcarSingle
from pymatgen.io.vasp.inputs import PmgVaspPspDirError
from pymatgen.io.vasp.sets import MPScanRelaxSet

from barriers.engines.protocol import NotHereError
from barriers.engines.vasp.settings import Physics


def find_potcars(elements: Collection[str], physics: Physics) -> dict[str, PotcarSingle]:
    """Find the POTCAR of each element through pymatgen's configuration.

    Raises
    ------
    ValueError
        One line for the first that is missing, with element, symbol and the setting to mend.
    """
    settings = physics.resolved()
    symbols = {**MPScanRelaxSet.CONFIG["POTCAR"], **settings["potcars"]}
    functional = settings["potcar_functional"]
    found = {}
    for element in elements:
        symbol = symbols.get(element, element)
        try:
            found[element] = PotcarSingle.from_symbol_and_functional(symbol, functional)
        except (PmgVaspPspDirError, FileNotFoundError, KeyError) as error:
            unset = isinstance(error, PmgVaspPspDirError)
            where = "is not set" if unset else f"has none in the set {functional} (engine.potcar_functional)"
            raise NotHereError(
                f"engine.potcars: no POTCAR {symbol!r} for {element}: PMG_VASP_PSP_DIR {where}; "
                "set it with `pmg config --add PMG_VASP_PSP_DIR DIR`, or name another POTCAR"
            ) from error
    return found


def potcar_hash(potcar: PotcarSingle) -> str:
    """MD5 of a POTCAR."""
    return hashlib.md5(potcar.data.encode(), usedforsecurity=False).hexdigest()


def what_counts(physics: Physics, elements: Collection[str] | None) -> dict[str, Any]:
    """Say what numbers depend on, whatever the preset is called: resolved settings, and the POTCARs that are chosen.

    Parameters
    ----------
    physics : Physics
        The settings.
    elements : collection of str or None
        Those of a structure; None if it is not known yet.

    Returns
    -------
    dict[str, Any]
        POTCARs by element with their MD5. Where elements or POTCARs are not known, the choice by name.
    """
    settings = physics.resolved()
    named = {"functional": settings.pop("potcar_functional"), "by name": settings.pop("potcars")}
    try:
        chosen = None if elements is None else find_potcars(sorted(elements), physics)
    except ValueError:
        chosen = None
    potcars = named if chosen is None else {element: potcar_hash(potcar) for element, potcar in chosen.items()}
    return {"settings": settings, "POTCARs": potcars}
