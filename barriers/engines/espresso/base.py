"""What the three makers of Quantum ESPRESSO share."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from pymatgen.core import Structure

from barriers.distribution import versions
from barriers.documents import EngineDoc
from barriers.engines.base import EngineMaker, Script
from barriers.engines.checkpoint import Checkpoint
from barriers.engines.espresso.command import Command, code_version, numbers_of, parse_command
from barriers.engines.espresso.inputs import Case
from barriers.engines.espresso.pseudopotentials import find_pseudopotentials
from barriers.engines.espresso.settings import Physics, Running
from barriers.engines.espresso.workspace import open_workspace


@dataclass
class EspressoMaker(EngineMaker):
    """What the three makers share.

    Attributes
    ----------
    name : str
        Name of the job.
    physics : Physics
        Settings that change the numbers.
    running : Running
        How the codes are started. No part of the job's identity.
    """

    name: str = "espresso"
    physics: Physics = field(default_factory=Physics)
    running: Running = field(default_factory=Running)

    @property
    def command(self) -> Command:
        """The command line in parts."""
        return parse_command(self.running.command)

    def case(self, structure: Structure) -> Case:
        """Settings and pseudopotentials for a structure, every file checked."""
        settings = self.physics.resolved()
        elements = [element.symbol for element in structure.composition.elements]
        elsewhere, running = self.running.elsewhere, self.running
        version = code_version(self.command)[0] if elsewhere is None else numbers_of(elsewhere)
        found = find_pseudopotentials(elements, settings["pseudopotentials"], running.pseudo_dir, elsewhere is not None)
        return Case(settings, found, version, running.max_seconds)

    def rests_on(self, elements: Collection[str] | None = None) -> dict[str, Any]:
        """Say which settings and pseudopotentials the numbers rest on."""
        return {"engine": "espresso", **self.physics.identity(elements)}

    def script(self, *lines: str) -> Script:
        """Give the lines that run input files by hand, in their folder."""
        folder = self.running.pseudo_dir
        where = "${ESPRESSO_PSEUDO:?the folder of the pseudopotentials}" if folder is None else folder
        link = f'[ -e pseudo ] || ln -s "{where}" pseudo'
        return Script((link, *lines), self.command.processes, self.running.max_seconds)

    def elsewhere(self, version: str) -> Self:
        """Give this maker as it is where another version of the code is, and not here."""
        return replace(self, running=replace(self.running, elsewhere=version))

    def workspace(self, kind: str, structure: Structure, *inputs: Any) -> Checkpoint:
        """Folder of a calculation, named after all that its numbers depend on."""
        depends_on = [structure, *inputs, self.rests_on(structure.symbol_set)]
        return open_workspace(kind, depends_on, self.running.continue_from)

    def describe(self, case: Case, changed: Mapping[str, Any], version: str = "") -> EngineDoc:
        """Say what gave the numbers; the elements' cutoffs and a smearing that handlers have changed included.

        Without the ``version`` that stands in the results, the code is asked for its own.
        """
        smearing = {key: changed[key] for key in ("degauss",) if key in changed}
        settings = {**case.settings, "keywords": {**case.cutoffs(), **case.settings["keywords"], **smearing}}
        name = settings["pseudopotentials"]
        return EngineDoc(
            kind="espresso",
            name=next(iter(case.pseudopotentials.values())).functional,
            version=version or self.running.elsewhere or code_version(self.command)[1],
            settings={"preset": self.physics.preset, **settings, "pseudopotentials": Path(name).name},
            files={found.path.name: found.md5 for found in case.pseudopotentials.values()},
            potentials={element: found.md5 for element, found in case.pseudopotentials.items()},
            packages=versions("ase", "custodian"),
        )
