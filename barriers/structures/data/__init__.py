"""Cathodes and polymers as data: a new one is an entry in a YAML file here."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from ruamel.yaml import YAML


def load_data(name: str) -> dict[str, Any]:
    """Read one of the tables in this folder.

    Parameters
    ----------
    name : str
        File name without its ending, ``cathodes`` or ``polymers``.
    """
    return YAML(typ="safe").load((files(__name__) / f"{name}.yaml").read_text("utf-8"))
