"""What stored calculations were computed from, found again by whatever names them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobflow import JobStore

from barriers.dispatch.execution import CONTENTS_FILE, slug
from barriers.dispatch.opening import DOCUMENTS
from barriers.dispatch.states import JobStates
from barriers.dispatch.store import config_folder, configured_store, results_store


@dataclass(frozen=True)
class Explained:
    """A calculation and its contents.

    Attributes
    ----------
    name, key, uuid : str
        Of the job; the uuid is empty where a job's folder is all there is.
    system, hop, kind : str
        What it is for.
    contents : dict[str, Any]
        What its key is a digest of; empty for a result of an earlier version, which kept no more than the key.
    """

    name: str
    key: str
    uuid: str
    system: str
    hop: str
    kind: str
    contents: dict[str, Any]


def find_calculations(what: str, results: Path) -> list[Explained]:
    """Find calculations.

    Parameters
    ----------
    what : str
        A job's folder; a results folder, alone or with what is wanted of it behind a slash: system, system and hop,
        name of a job, beginning of a key or uuid. Such a beginning alone is looked for in all results folders.
    results : Path
        Folder that holds the results folders.

    Returns
    -------
    list[Explained]
        All that match. Of a system and hop with several bands, the one that gave its barrier.

    Raises
    ------
    ValueError
        If there is none; one line that says what is there.
    """
    path = Path(what)
    if (path / CONTENTS_FILE).is_file():
        return [Explained(uuid="", **json.loads((path / CONTENTS_FILE).read_text("utf-8")))]
    for folder in (path, *path.parents):
        if (folder / DOCUMENTS).is_file() or (folder / "study.json").is_file():
            found = _of_folder(folder, "/".join(path.parts[len(folder.parts) :]))
            break
    else:
        folders = sorted(each.parent for each in results.glob(f"*/{DOCUMENTS}"))
        found = [each for folder in folders for each in _matching(_all(folder), what)] if len(what) > 3 else []
    if not found:
        raise ValueError(
            f"{what}: no such calculation; allowed: a results folder, alone or as RESULTS/SYSTEM/HOP or RESULTS/JOB, a "
            "job's folder, the beginning (4 digits or more) of a key or uuid"
        )
    return found


def _of_folder(folder: Path, wanted: str) -> list[Explained]:
    calculations = list(_all(folder))
    if not wanted:
        return calculations
    if found := _matching(calculations, wanted):
        return found
    found = [each for each in calculations if wanted in (each.system, f"{each.system}/{each.hop}")]
    bands = [each for each in found if each.kind == "neb" and wanted.endswith(each.hop or each.system)]
    lowest = [each for each in bands if each.name.endswith(f"band {_start_of_barrier(folder, each)}")]
    return lowest or bands or found


def _matching(calculations: Iterable[Explained], wanted: str) -> list[Explained]:
    begins = len(wanted) > 3
    return [
        each
        for each in calculations
        if wanted in (each.name, slug(each.name), f"jobs/{slug(each.name)}-{each.key}")
        or (begins and (each.key.startswith(wanted) or each.uuid.startswith(wanted)))
    ]


def _store(folder: Path) -> JobStore | None:
    there = (folder / DOCUMENTS).is_file()
    return results_store(folder) if there else configured_store(config_folder())


def _all(folder: Path) -> list[Explained]:
    """Calculations of a results folder, those of earlier settings included."""
    if (store := _store(folder)) is None:
        return []
    fields = ["uuid", "name", "metadata"]
    records = store.query({"metadata.kind": {"$in": ["static", "relax", "neb"]}}, properties=fields)
    return [
        Explained(
            name=record["name"],
            uuid=record["uuid"],
            contents=about.get("computed_from", {}),
            **{name: about.get(name, "") for name in ("key", "system", "hop", "kind")},
        )
        for record in records
        if (about := record["metadata"])
    ]


def _start_of_barrier(folder: Path, band: Explained) -> str:
    """Start of the band that the last run's barrier was read off; empty where there is no barrier yet."""
    store = _store(folder)
    which: dict[str, Any] = {"metadata.kind": "analysis", "metadata.system": band.system, "metadata.hop": band.hop}
    if last_run := [state.uuid for state in JobStates(folder).read()]:
        which["uuid"] = {"$in": last_run}
    start = ""
    for record in store.query(which, load=True) if store else ():
        output = record["output"]
        if isinstance(output, dict) and isinstance(output.get("band"), dict):
            start = str(output["band"]["start"])
    return start
