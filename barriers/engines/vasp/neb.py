"""The band: VASP plain until roughly converged, then climbing with VTST."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from atomate2.vasp.jobs.neb import NebFromImagesMaker
from pymatgen.core import Structure

from barriers.documents import BandDoc, EngineDoc
from barriers.engines.band import BandTask, BaseNebMaker
from barriers.engines.base import Script
from barriers.engines.vasp.band import BandRun, stage_inputs
from barriers.engines.vasp.inputs import BandSetGenerator, write_band
from barriers.engines.vasp.jobs import FromInputSet
from barriers.engines.vasp.settings import Running
from barriers.engines.vasp.single import bulky, describe


@dataclass
class NebMaker(BaseNebMaker, FromInputSet, NebFromImagesMaker):
    """Climbing-image nudged elastic band between two relaxed endpoints.

    1. Make the first band, sort its atoms as VASP wants them.
    2. Converge the plain band roughly with an optimiser of VASP's own.
    3. Let the highest image climb, with an optimiser of VTST.

    Attributes
    ----------
    input_set_generator : BandSetGenerator
        Settings that change the numbers; atomate2's powerups reach it.
    running : Running
        How VASP is started. No part of the job's identity.
    without_vtst : str
        ``refuse``, or ``plain band``: converge that and say that the saddle is not climbed.
    """

    input_set_generator: BandSetGenerator = field(default_factory=BandSetGenerator)
    running: Running = field(default_factory=Running)
    without_vtst: Literal["refuse", "plain band"] = "refuse"

    def rests_on(self, elements: Collection[str] | None = None) -> dict[str, Any]:
        """Say which settings and POTCARs the numbers rest on, and what is done without VTST."""
        return {**super().rests_on(elements), "without_vtst": self.without_vtst}

    def converged(self, task: BandTask) -> BandDoc:
        """Converge a band."""
        self.running.layout(task.start.n_images)  # cores that do not fit are refused before anything runs
        run = BandRun(task, self.input_set_generator, self.running, self.without_vtst)
        run.converge()
        return run.document()

    def write_inputs(self, folder: Path, *given: Any) -> Script:
        """Write both stages, the names of the POTCARs in their place, and run nothing.

        The climbing stage holds the first band too; it goes on from the plain one, as the script does.
        """
        task = self.task(*given)
        layout = self.running.layout(task.start.n_images)
        for stage, fmax in (("plain", self.rough_fmax), ("climbing", self.fmax)):
            limits = {"NSW": self.max_steps, "EDIFFG": -fmax, **layout}
            inputs = stage_inputs(task, self.input_set_generator, limits, climbing=stage == "climbing")
            write_band(folder / stage, *inputs, potcar_list=True)
        (folder / "climbing" / "POTCAR.spec").rename(folder / "POTCAR.spec")
        (folder / "plain" / "POTCAR.spec").unlink()
        start = f"{self.running.launch.line} > vasp.out"
        go_on = 'for moved in plain/*/CONTCAR; do cp "$moved" "climbing/$(basename "$(dirname "$moved")")/POSCAR"; done'
        return self.script(
            "cp POTCAR plain/; cp POTCAR climbing/",
            f"(cd plain && {start})",
            go_on,
            f"(cd climbing && {start})",
        )

    def take_in(self, folder: Path, *given: Any) -> bool:
        """Take in what a run by hand left."""
        run = BandRun(self.task(*given), self.input_set_generator, self.running, self.without_vtst)
        place = run.checkpoint.folder
        for stage in ("plain", "climbing"):
            shutil.copytree(folder / stage, place / stage, dirs_exist_ok=True, ignore=bulky)
        return run.goal(self.rough_fmax).met(place / "plain") and run.goal(self.fmax).met(place / "climbing")

    def described(self, structure: Structure) -> EngineDoc:
        """Say what gives the numbers of a structure."""
        return describe(self.input_set_generator, structure, None)
