"""What the head of an OUTCAR says of the settings."""

from __future__ import annotations

import re

SETTINGS = {
    "ENCUT": rb"\bENCUT\s*=\s*([\d.]+) eV",
    **{
        name: rb"\b" + name.encode() + rb"\s*=\s*([^\s;]+)"
        for name in (
            *("PREC", "ISPIN", "LNONCOLLINEAR", "LSORBIT", "LASPH", "METAGGA", "GGA", "LREAL", "NELECT", "NUPDOWN"),
            *("ISMEAR", "SIGMA", "LDIPOL", "IDIPOL", "LHFCALC", "AEXX", "HFSCREEN", "IVDW", "LUSE_VDW", "EFIELD"),
            *("LSOL", "LDAUTYPE", "LDAU", "NKPTS"),
        )
    },
    "LDAUL": rb"\bLDAUL\s*=([-\d. ]+)",
    "LDAUU": rb"\bLDAUU\s*=([-\d. ]+)",
    "LDAUJ": rb"\bLDAUJ\s*=([-\d. ]+)",
    "k-mesh": rb"generate k-points for:\s*(\d+ +\d+ +\d+)",
}
"""What enters an energy, as OUTCAR's head says it; the last word counts, behind the copy of the INCAR."""


def settings_of(head: bytes) -> dict[str, str]:
    """Find what enters the energy; without a word of U or of a force field there is none."""
    found = {name: re.findall(pattern, head) for name, pattern in SETTINGS.items()}
    settings = {name: tidy(values[-1].decode()) for name, values in found.items() if values}
    if learned := re.findall(rb"\bML_(?:LMLFF|FF)\s*=\s*\.?([TF])", head):
        settings["ML_FF"] = learned[-1].decode()
    if settings:
        settings |= {"ML_FF": settings.get("ML_FF", "F"), "LDAUU": settings.get("LDAUU", "none")}
    if titles := re.findall(rb"TITEL\s*= (.*\S)", head):
        settings["POTCAR"] = ", ".join(title.decode(errors="replace") for title in titles)
    return settings


def tidy(text: str) -> str:
    """Write numbers in one way: 520.0 is 520."""
    words = [word.strip(".") if word.strip(".") in {"TRUE", "FALSE"} else word for word in text.split()]
    return " ".join(f"{float(word):g}" if re.fullmatch(r"[-+]?[\d.]+", word) else word for word in words)


def numbers_of(head: bytes) -> dict[str, float]:
    """Find how long the run was to go on, and how many images it had."""
    found = {
        name: re.findall(rb"\b" + name.encode() + rb"\s*(?:=|\s)\s*([-+]?[\d.]+(?:[Ee][-+]?\d+)?)", head)
        for name in ("NSW", "EDIFFG", "NELM", "IMAGES", "EFIRST", "ELAST")
    }
    return {name: float(values[-1]) for name, values in found.items() if values}
