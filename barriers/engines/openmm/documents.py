"""What jobs of a matrix hand on: a box whole, and what came of its run."""

from __future__ import annotations

import base64
import zlib
from hashlib import sha256
from typing import Any, Self

from pydantic import BaseModel, Field
from pymatgen.core import Structure

from barriers.analysis.trajectory.documents import TransportDoc
from barriers.analysis.trajectory.settling import SettlingDoc
from barriers.documents import SCHEMA_VERSION, CostDoc, EngineDoc
from barriers.structures.matrix.box import Box, MatrixBox

TEXTS = ("pdb", "system", "parameters")


class BoxDoc(BaseModel):
    """A packed box with its files in it, so that it runs on a machine that shares no folder with that which made it."""

    schema_version: int = Field(SCHEMA_VERSION, description="version of this document's fields")
    document: MatrixBox
    packed: dict[str, str] = Field(description="box.pdb, system.xml, parameters.json: zlib, base64")
    cost: CostDoc = Field(default_factory=CostDoc)

    @classmethod
    def of(cls, box: Box) -> Self:
        """Pack a box."""
        texts = {name: zlib.compress(getattr(box, name).encode(), 9) for name in TEXTS}
        return cls(
            document=box.document, packed={name: base64.b64encode(each).decode() for name, each in texts.items()}
        )

    def box(self) -> Box:
        """Unpack it."""
        texts = {name: zlib.decompress(base64.b64decode(each)).decode() for name, each in self.packed.items()}
        return Box(self.document, **texts)

    def identity(self) -> dict[str, Any]:
        """Give what a run that starts from this takes from it: the content of its files."""
        box = self.box()
        return {name: sha256(getattr(box, name).encode()).hexdigest() for name in TEXTS[:2]}


class MdDoc(BaseModel):
    """The run of one box at one temperature, and what its trajectory tells."""

    schema_version: int = Field(SCHEMA_VERSION, description="version of this document's fields")
    system: str = Field(description="name of the matrix")
    number: int = Field(description="of the box, from 1")
    temperature: float = Field(description="K")
    measured: float = Field(description="temperature of the velocities, mean over frames (K)")
    length: float = Field(description="of the production (ps)")
    step: float = Field(description="between its frames (ps)")
    ns_per_day: float = Field(description="speed of the production on that machine")
    platform: str = Field(description="of OpenMM: CUDA, CPU, …")
    density: SettlingDoc
    densities: list[float] = Field(description="on the way to it at constant pressure, evenly spaced (g/cm³)")
    transport: TransportDoc | None = Field(None, description="none where the trajectory could not be read off")
    reason: str | None = Field(None, description="why not")
    snapshot: Structure | None = Field(None, description="the last frame")
    trajectory: str = Field(description="where the trajectory is, on the machine that ran it")
    cost: CostDoc
    engine: EngineDoc
