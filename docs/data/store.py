"""Make a results folder's document small enough to store: ``python docs/data/store.py results/NAME``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

DIGITS = 5
"""Decimals that are kept (eV, Å, eV/Å): figures and tables show three."""


def rounded(content: Any) -> Any:
    """Round every number of a JSON document."""
    if isinstance(content, float):
        return round(content, DIGITS)
    if isinstance(content, list):
        return [rounded(item) for item in content]
    if isinstance(content, dict):
        return {key: rounded(value) for key, value in content.items()}
    return content


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    document = rounded(json.loads((folder / "study.json").read_text("utf-8")))
    target = Path(__file__).parent / f"{document['name']}.json"
    target.write_text(json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n", "utf-8")
