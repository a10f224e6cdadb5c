"""Pseudopotential sets as data, and the check of their files before anything runs."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from ruamel.yaml import YAMLError

from barriers.engines.checked_files import read_yaml
from barriers.engines.protocol import NotHereError
from barriers.words import closest, show

SETS = Path(__file__).parent / "pseudopotentials"

FUNCTIONALS = {"SLA PW PBX PBC": "PBE", "SLA PW PSX PSC": "PBESOL", "SLA PZ NOGX NOGC": "PZ", "SLA PW PBE PBE": "PBE"}
"""Short names of functionals that files spell out."""


FILES = (".yaml", ".yml", ".json")

SSSP_FORM = "allowed: SSSP's own JSON, by element with filename, md5, cutoff_wfc and cutoff_rho"

FORM = (
    "allowed: functional, folders, get (where the files are to be had) and elements, "
    "each as Li: {file: Li.UPF, md5: 32 hexadecimal digits, ecutwfc: 40, ecutrho: 320}"
)
"""What a set of one's own looks like, in the words of an error."""


@dataclass(frozen=True)
class Pseudopotential:
    """One file of a set: where it is, its MD5, cutoffs (Ry), number of valence electrons, and functional."""

    path: Path
    md5: str
    ecutwfc: float
    ecutrho: float
    valence: float
    functional: str = ""


class _Entry(BaseModel):
    """What a set says of one element; of files in UPF the valence is in the file."""

    model_config = ConfigDict(extra="forbid")

    file: str
    md5: str
    ecutwfc: float
    ecutrho: float
    valence: float | None = None
    z_valence: float | None = None
    """What the file itself says, for inputs that are written where it is not; so no part of a key."""


class _SsspEntry(BaseModel):
    """What SSSP's own JSON says of one element, its cutoffs in Ry."""

    filename: str
    md5: str
    cutoff_wfc: float
    cutoff_rho: float


_SSSP = TypeAdapter(dict[str, _SsspEntry])


class _Set(BaseModel):
    """A set as it stands in its file."""

    model_config = ConfigDict(extra="forbid")

    functional: str | None
    folders: list[str]
    get: str
    elements: dict[str, _Entry] = Field(min_length=1)


def load_set(name: str) -> dict[str, Any]:
    """Read a set: by the name of one on file, a YAML file of the same form, or SSSP's own JSON beside its files.

    The functional of SSSP's JSON is None: its files say it.

    Raises
    ------
    ValueError
        If there is no such set, or its file lacks a key or has one wrong: one line with file and key.
    """
    known = sorted(path.stem for path in SETS.glob("*.yaml"))
    path = SETS / f"{name}.yaml" if name in known else Path(name)
    if name not in known and not (path.suffix in FILES and path.is_file()):
        near = closest(name, known)
        raise ValueError(
            f"engine.pseudopotentials: {name!r} is not on file; allowed: {', '.join(known)}, a YAML file, or SSSP's "
            f"JSON{near}"
        )
    try:
        content = read_yaml(path)  # JSON is YAML
        return (_of_sssp(content, path) if path.suffix == ".json" else _Set.model_validate(content)).model_dump()
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"])) or "the whole file"
        what = "is missing" if first["type"] == "missing" else f"{show(first['input'])} is wrong"
        raise ValueError(
            f"engine.pseudopotentials: {path}: {key}: {what}; {SSSP_FORM if path.suffix == '.json' else FORM}"
        ) from None
    except (YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"engine.pseudopotentials: {path}: no YAML: {' '.join(str(error).split())[:120]}") from None


def _of_sssp(content: Any, path: Path) -> _Set:
    entries = {
        element: {"file": one.filename, "md5": one.md5, "ecutwfc": one.cutoff_wfc, "ecutrho": one.cutoff_rho}
        for element, one in _SSSP.validate_python(content).items()
    }
    get = f"the archive that belongs to {path.name} (Materials Cloud), unpacked beside it"
    return _Set.model_validate({"functional": None, "folders": [str(path.parent)], "get": get, "elements": entries})


def what_counts(name: str, elements: Collection[str] | None) -> dict[str, Any] | str:
    """Say of a set what numbers depend on: MD5, cutoffs and valence of each element, not its name nor those of files.

    Parameters
    ----------
    name : str
        The set.
    elements : collection of str or None
        Those of a structure; all of the set if it is not known yet.

    Returns
    -------
    dict or str
        By element; where the set is not here, its name in words.
    """
    try:
        entries = load_set(name)["elements"]
    except (OSError, ValueError):
        return f"{name}, not readable here"
    chosen = entries if elements is None else {element: entries.get(element, {}) for element in elements}
    return {
        element: {key: value for key, value in entry.items() if key not in ("file", "z_valence") and value is not None}
        for element, entry in chosen.items()
    }


def find_pseudopotentials(
    elements: Iterable[str], name: str, pseudo_dir: str | None, elsewhere: bool = False
) -> dict[str, Pseudopotential]:
    """Find and check the files for some elements.

    Parameters
    ----------
    elements : iterable of str
        Symbols.
    name : str
        The set.
    pseudo_dir : str or None
        The only folder to search; if None, that of the environment variable ``ESPRESSO_PSEUDO``, then the set's own.
    elsewhere : bool
        Input files are written for another machine: a file is looked for only where the set does not say its valence.

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
        if elsewhere and (valence := entry["valence"] or entry["z_valence"]) is not None:
            cutoffs, known = (entry["ecutwfc"], entry["ecutrho"]), content["functional"] or ""
            found[element] = Pseudopotential(Path(entry["file"]), entry["md5"].lower(), *cutoffs, valence, known)
        else:
            found[element] = _checked(element, entry, [Path(folder).expanduser() for folder in folders], content)
    if len({each.functional for each in found.values()}) > 1:
        made = ", ".join(f"{element} with {each.functional}" for element, each in found.items())
        raise ValueError(f"pseudopotential set {name!r}: {made}; functionals must not be mixed")
    return found


def _checked(element: str, entry: dict[str, Any], folders: list[Path], content: dict[str, Any]) -> Pseudopotential:
    searched = f"{', '.join(map(str, folders))}{_other_case(entry['file'], folders)}"
    path = next((folder / entry["file"] for folder in folders if (folder / entry["file"]).is_file()), None)
    if path is None:
        raise NotHereError(
            f"pseudopotential of {element}: no file {entry['file']} in {searched}; get it from {content['get']}, or "
            f"set engine.pseudo_dir"
        )
    data = path.read_bytes()
    md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
    if md5 != entry["md5"].lower():
        raise ValueError(
            f"pseudopotential of {element}: {path} has the MD5 {md5}, {entry['md5']} expected (elements.{element}.md5 "
            f"of the set); it is another or a damaged file"
        )
    functional, valence = upf_header(data.decode("utf-8", "replace")) or (content["functional"], entry["valence"])
    if functional != (content["functional"] or functional):
        raise ValueError(
            f"pseudopotential of {element}: {path} is made with {functional}, the set is {content['functional']}; "
            f"functionals must not be mixed"
        )
    if valence is None:
        raise ValueError(
            f"pseudopotential of {element}: {path} does not say its valence, nor does the set; "
            f"add it: elements.{element}.valence"
        )
    return Pseudopotential(path, md5, entry["ecutwfc"], entry["ecutrho"], valence, functional or "")


def _other_case(name: str, folders: list[Path]) -> str:
    """Name a file that differs from the one looked for in small and capital letters alone."""
    paths = (path for folder in folders if folder.is_dir() for path in folder.iterdir())
    near = next((path for path in paths if path.name.lower() == name.lower()), None)
    return "" if near is None else f", but {near} (give the set that name, or rename the file)"


def upf_header(text: str) -> tuple[str, float] | None:
    """Functional and valence electrons of a UPF file; None for older formats, which the set describes."""
    if "<PP_HEADER" not in text:
        return None
    functional = re.search(r'functional="([^"]*)"', text) or re.search(r"^(.*?)\s+Exchange-Correlation", text, re.M)
    valence = re.search(r'z_valence="\s*([^"]*)"', text) or re.search(r"^\s*([\d.]+)\s+Z valence", text, re.M)
    if functional is None or valence is None:
        return "an unknown functional", 0.0
    words = " ".join(functional[1].upper().split()[:4])
    return FUNCTIONALS.get(words, words), float(valence[1])
