"""Keywords of INCAR that a user may set, with the types that they are written in.

pymatgen lists those of VASP, ASE those of VTST (https://theory.cm.utexas.edu/vtsttools) and of other patches besides.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ase.calculators.vasp import create_input
from pymatgen.io.vasp import Incar

from barriers.words import closest

SET_BY_BARRIERS = {
    "IMAGES", "SPRING", "LCLIMB", "ICHAIN", "NSW", "EDIFFG", "ISIF", "ISYM", "MAGMOM", "LDAUU", "LDAUL", "LDAUJ",
    "LDIPOL", "IDIPOL", "DIPOL", "NCORE", "NPAR", "KPAR", "KSPACING", "ICHARG", "ISTART",
}  # fmt: skip
"""Keywords that follow from the structure, the tolerances or other settings."""

OF_ASE = {
    "float": (*create_input.float_keys, *create_input.exp_keys),
    "int": create_input.int_keys,
    "bool": create_input.bool_keys,
    "str": create_input.string_keys,
    "list": (*create_input.list_float_keys, *create_input.list_int_keys, *create_input.list_bool_keys),
}
"""ASE's keywords by type, in pymatgen's words."""

OFF = {
    "LNEBCELL": "moves the cell, which stays here",
    "ML_LMLFF": "puts VASP's machine-learned force field in the place of DFT; `barriers parse` reads such folders",
}
"""Keywords that may be set to false alone, and why."""

KINDS: dict[str, type] = {"bool": bool, "int": int, "float": float}
KIND_WORDS = {bool: "true or false", int: "a whole number", float: "a number"}

TYPES: dict[str, dict[str, Any]] = Incar.INCAR_PARAMS  # type: ignore[assignment]
"""pymatgen's own table, which all its readers and writers use."""


def _tell_pymatgen() -> None:
    """Tell pymatgen's INCAR of types that it does not know.

    It writes and reads an unknown ``LGLOBAL = .T.`` as the text ``.t.``, and SPRING, which VASP reads as a real number,
    as a whole one: -0.5 becomes 0, and the images slide off. custodian and atomate2 go through the same table.
    """
    for kind in KINDS:
        for name in OF_ASE[kind]:
            TYPES.setdefault(name.upper(), {"type": kind})
    TYPES["SPRING"] = {"type": "float"}
    TYPES.setdefault("ML_LMLFF", {"type": "bool"})


_tell_pymatgen()

KNOWN = sorted({*TYPES, *(name.upper() for names in OF_ASE.values() for name in names)})
"""Every keyword that pymatgen or ASE lists."""


def check_incar(keywords: Mapping[str, Any]) -> None:
    """Refuse keywords that VASP and VTST do not have, those that other settings give, and values of another type.

    Raises
    ------
    ValueError
        One line for the first of them.
    """
    for keyword, value in keywords.items():
        name = keyword.upper()
        if name in SET_BY_BARRIERS:
            raise ValueError(f"engine.incar: {keyword!r} follows from other settings; leave it out")
        if name not in KNOWN and not name.startswith("ML_"):
            raise ValueError(f"engine.incar: {keyword!r} is no keyword of VASP{closest(name, KNOWN)}")
        _check_value(keyword, value)
        if name.startswith("ML_") and name != "ML_LMLFF":
            raise ValueError(f"engine.incar: {keyword!r} belongs to ML_LMLFF, which {OFF['ML_LMLFF']}; leave it out")
        if name in OFF and Incar({name: value})[name]:
            raise ValueError(f"engine.incar: {keyword!r} {OFF[name]}; allowed: false")


def _check_value(keyword: str, value: Any) -> None:
    """Refuse a value that the INCAR would not hold: of another type, or written in a way that pymatgen cuts off."""
    name = keyword.upper()
    written = Incar.from_str(str(Incar({name: value}))).get(name)
    kind = KINDS.get(TYPES.get(name, {}).get("type", ""))
    if kind is not None and not (type(written) is kind or (kind is float and type(written) is int)):
        raise ValueError(f"engine.incar: {keyword!r} is {value!r}; allowed: {KIND_WORDS[kind]}")
    if kind in (int, float) and not _same_number(value, written):
        hint = "a whole number" if kind is int else "a number such as 1.0e-5"
        raise ValueError(f"engine.incar: {keyword!r} is {value!r}, of which {written!r} would be left; allowed: {hint}")


def _same_number(value: Any, written: Any) -> bool:
    try:
        return not isinstance(value, bool) and float(value) == float(written)
    except (TypeError, ValueError):
        return False
