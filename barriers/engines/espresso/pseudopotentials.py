"""Pseudopotential sets as data, and the check of their files before anything runs."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML, YAMLError

from barriers.words import closest, show

SETS = Path(__file__).parent / "pseudopotentials"

FUNCTIONALS = {"SLA PW PBX PBC": "PBE", "SLA PW PSX PSC": "PBESOL", "SLA PZ NOGX NOGC": "PZ", "SLA PW PBE PBE": "PBE"}
"""Short names of functionals that files spell out."""


FORM = (
    "allowed: functional, folders, get (where the files are to be had) and elements, "
    "each as Li: {file: Li.UPF, md5: 32 hexadecimal digits, ecutwfc: 40, ecutrho: 320}"
)
"""What a set of one's own looks like, in the words of an error."""


@dataclass(frozen=True)
class Pseudopotential:
    """One file of a set: where it is, its MD5, its cutoffs (Ry) and the number of its valence electrons."""

    path: Path
    md5: str
    ecutwfc: float
    ecutrho: float
    valence: float


class _Entry(BaseModel):
    """What a set says of one element; of files in UPF the valence is in the file."""

    model_config = ConfigDict(extra="forbid")

    file: str
    md5: str
    ecutwfc: float
    ecutrho: float
    valence: float | None = None


class _Set(BaseModel):
    """A set as it stands in its file."""

    model_config = ConfigDict(extra="forbid")

    functional: str
    folders: list[str]
    get: str
    elements: dict[str, _Entry] = Field(min_length=1)


@cache
def load_set(name: str) -> dict[str, Any]:
    """Read a set: by the name of one on file, or a YAML file of the same form.

    Raises
    ------
    ValueError
        If there is no such set, or its file lacks a key or has one wrong: one line with file and key.
    """
    known = sorted(path.stem for path in SETS.glob("*.yaml"))
    path = SETS / f"{name}.yaml" if name in known else Path(name)
    if name not in known and not (path.suffix == ".yaml" and path.is_file()):
        near = closest(name, known)
        raise ValueError(
            f"engine.pseudopotentials: {name!r} is not on file; allowed: {', '.join(known)}, or a YAML file{near}"
        )
    try:
        return _Set.model_validate(YAML(typ="safe").load(path.read_text("utf-8"))).model_dump()
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"])) or "the whole file"
        what = "is missing" if first["type"] == "missing" else f"{show(first['input'])} is wrong"
        raise ValueError(f"engine.pseudopotentials: {path}: {key}: {what}; {FORM}") from None
    except (YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"engine.pseudopotentials: {path}: no YAML: {' '.join(str(error).split())[:120]}") from None


def set_checksum(name: str) -> str:
    """SHA-256 over what a set says of all its elements, whichever of them a structure has."""
    elements = load_set(name)["elements"]
    lines = "\n".join(f"{element} {elements[element]['md5']}" for element in sorted(elements))
    return hashlib.sha256(lines.encode()).hexdigest()


def find_pseudopotentials(elements: Iterable[str], name: str, pseudo_dir: str | None) -> dict[str, Pseudopotential]:
    """Find and check the files for some elements.

    Parameters
    ----------
    elements : iterable of str
        Symbols.
    name : str
        The set.
    pseudo_dir : str or None
        The only folder to search; if None, that of the environment variable ``ESPRESSO_PSEUDO``, then the set's own.

    Raises
    ------
    ValueError
        One line that names element, file and folders searched: an element that the set lacks, a missing file, a wrong
        checksum, a functional that is not the set's.
    """
    content = load_set(name)
    folders = [pseudo_dir] if pseudo_dir else [*filter(None, [os.environ.get("ESPRESSO_PSEUDO")]), *content["folders"]]
    found = {}
    for element in sorted(set(elements)):
        entry = content["elements"].get(element)
        if entry is None:
            raise ValueError(
                f"pseudopotential set {name!r} has none for {element}; it has {', '.join(content['elements'])}"
            )
        found[element] = _checked(element, entry, [Path(folder).expanduser() for folder in folders], content)
    return found


def _checked(element: str, entry: dict[str, Any], folders: list[Path], content: dict[str, Any]) -> Pseudopotential:
    searched = ", ".join(map(str, folders))
    path = next((folder / entry["file"] for folder in folders if (folder / entry["file"]).is_file()), None)
    if path is None:
        raise ValueError(
            f"pseudopotential of {element}: no file {entry['file']} in {searched}; get it from {content['get']}, or "
            f"set engine.pseudo_dir"
        )
    data = path.read_bytes()
    md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
    if md5 != entry["md5"]:
        raise ValueError(
            f"pseudopotential of {element}: {path} has the MD5 {md5}, {entry['md5']} expected; it is another or a "
            f"damaged file"
        )
    functional, valence = _header(data.decode("utf-8", "replace")) or (content["functional"], entry["valence"])
    if functional != content["functional"]:
        raise ValueError(
            f"pseudopotential of {element}: {path} is made with {functional}, the set is {content['functional']}; "
            f"functionals must not be mixed"
        )
    if valence is None:
        raise ValueError(
            f"pseudopotential of {element}: {path} does not say its valence, nor does the set; "
            f"add it: elements.{element}.valence"
        )
    return Pseudopotential(path, md5, entry["ecutwfc"], entry["ecutrho"], valence)


def _header(text: str) -> tuple[str, float] | None:
    """Functional and valence electrons of a UPF file; None for older formats, which the set describes."""
    if "<PP_HEADER" not in text:
        return None
    functional = re.search(r'functional="([^"]*)"', text) or re.search(r"^(.*?)\s+Exchange-Correlation", text, re.M)
    valence = re.search(r'z_valence="\s*([^"]*)"', text) or re.search(r"^\s*([\d.]+)\s+Z valence", text, re.M)
    if functional is None or valence is None:
        return "an unknown functional", 0.0
    words = " ".join(functional[1].upper().split()[:4])
    return FUNCTIONALS.get(words, words), float(valence[1])
