"""Faults that the stand-in plays on request.

``VASP_STANDIN`` holds JSON with these keys, all optional:

``no_vtst``
    Built without VTST.
``kill_at``
    Killed while it writes this step, every time it gets there; ``times`` limits how often.
``truncate``
    The kill leaves the last image's OUTCAR cut in the middle of a table.
``scf``
    ``{"image", "step", "until"}``: electrons do not converge from that step on until ALGO is ``until``.
``nan``
    ``{"image", "step"}``: energies and forces are not numbers, until the step length is below 0.1.
``freeze``
    ``{"step"}``: writes nothing more from then on, once.
``flip``
    ``{"image", "step", "site"}``: a moment turns over and stays so until WAVECAR is gone, once.
``message``
    ``{"text", "until"}``: prints a message and stops, until ALGO is ``until``.
``die_at_end``
    Prints this and stops after its steps, before it writes grids and its last words.
``silent``
    Does not say that forces are as small as asked for.
``claim_at``
    Stops after this step and says so, whatever the forces.
``delay``
    Seconds that each step takes.
``only_in``
    Name of the only folder where the faults are played.
"""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
from files import Place


class Faults:
    """The faults of this run."""

    def __init__(self, incar: dict[str, str]) -> None:
        asked: dict[str, Any] = json.loads(os.environ.get("VASP_STANDIN", "{}"))
        self.no_vtst = asked.pop("no_vtst", False)
        here = Path.cwd().name
        self.asked = asked if asked.pop("only_in", here) == here else {}
        self.incar = incar
        self.nelm = int(incar.get("NELM", 60))
        message = self.asked.get("message")
        if message and incar.get("ALGO") != message["until"]:
            print(f" {message['text']}", flush=True)
            raise SystemExit(1)

    def before(self, step: int, places: list[Place]) -> None:
        """Before a step is written."""
        time.sleep(self.asked.get("delay", 0.0))
        if step == self.asked.get("kill_at") and self._again("kill", self.asked.get("times", 10**6)):
            if self.asked.get("truncate"):
                places[-1].truncate()
            os.kill(os.getpid(), signal.SIGKILL)

    def after(self, step: int, places: list[Place]) -> None:
        """After a step is written and the ions have moved."""
        if step == self.asked.get("freeze", {}).get("step") and self._again("freeze", 1):
            time.sleep(600)

    def at_end(self) -> None:
        """After the last step."""
        if words := self.asked.get("die_at_end"):
            print(f" {words}", flush=True)
            raise SystemExit(1)

    def claims(self, step: int) -> bool:
        """Whether it stops now with forces as small as asked for, it says."""
        return step == self.asked.get("claim_at")

    def says(self, step: int, converged: bool) -> bool:
        """Whether it says at its end that forces are as small as asked for."""
        return self.claims(step) or (converged and not self.asked.get("silent", False))

    def spoil(
        self, image: int, step: int, energy: float, forces: np.ndarray, place: Place
    ) -> tuple[float, np.ndarray, int, np.ndarray]:
        """What comes out in the place of energy and forces, with electronic steps and moments."""
        moments, cycles = place.moments.copy(), 9
        scf, nan, flip = (self.asked.get(key, {}) for key in ("scf", "nan", "flip"))
        if scf and image == scf["image"] and step >= scf["step"] and self.incar.get("ALGO") != scf["until"]:
            return energy + 0.3, 2.0 * forces, self.nelm, moments
        length = float(self.incar.get("TIMESTEP" if "IOPT" in self.incar else "POTIM", 0.1))
        if nan and image == nan["image"] and step >= nan["step"] and length >= 0.1:
            return np.nan, np.full_like(forces, np.nan), cycles, moments
        if flip and image == flip["image"]:
            wavecar = place.folder / "WAVECAR"
            if step == flip["step"] and self._again("flip", 1):
                wavecar.write_text("flipped")
            if wavecar.exists() and wavecar.read_text() == "flipped":
                moments[flip["site"]] *= -1
                energy += 0.4
        return energy, forces, cycles, moments

    def _again(self, kind: str, times: int) -> bool:
        marks = Path(f"standin-{kind}")
        done = len(marks.read_text()) if marks.exists() else 0
        marks.write_text("x" * (done + 1))
        return done < times
