"""Custodian's handlers for VASP that know a band: every image is looked at, every correction goes on from it."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from custodian.custodian import ErrorHandler
from custodian.vasp.handlers import WalltimeHandler

from barriers.engines.dft import Corrections
from barriers.engines.processes import is_running
from barriers.engines.vasp.electronic_handlers import (
    BandHandler,
    ElectronicHandler,
    MessageHandler,
    MomentHandler,
    NotANumberHandler,
)
from barriers.engines.vasp.folder import places
from barriers.engines.vasp.outputs import read_outcar

FROZEN_SECONDS = 10_800.0
"""An image that writes nothing for so long (s) is frozen."""


class FrozenImageHandler(BandHandler):
    """An image that writes nothing any more while VASP runs: start again from the newest steps, twice at most."""

    def check(self, directory: str = "./") -> bool:
        """Whether no file of an image has changed for :data:`FROZEN_SECONDS`."""
        self.images = []
        for place in places(Path(directory)):
            files = [place / name for name in ("OUTCAR", "OSZICAR") if (place / name).exists()]
            if files and time.time() - max(path.stat().st_mtime for path in files) > FROZEN_SECONDS:
                outcar = read_outcar(place)
                if outcar is None or not outcar.finished:
                    self.images.append(place.name)
        return bool(self.images)

    def correct(self, directory: str = "./") -> dict[str, Any]:
        """Start again."""
        corrections = Corrections.load(Path(directory))
        if corrections.count("frozen") > 2:
            return self._give_up(f"image {', '.join(self.images)} froze three times; see vasp.out")
        corrections.save(Path(directory))
        return {"errors": ["frozen image"], "actions": [{"restart": True}]}


class StopHandler(WalltimeHandler):
    """Little time left: a stop file, so that VASP ends after a whole step; a further run continues.

    Parameters
    ----------
    max_seconds : int or None
        Time of this run (s).
    """

    line = ""

    def __init__(self, max_seconds: int | None) -> None:
        # The parent's constructor keeps its start in the environment, for all jobs of a process together.
        self.wall_time, self.start_time = max_seconds, datetime.datetime.now()
        self.buffer_time, self.electronic_step_stop, self.stopped = 0.1 * (max_seconds or 0), False, False

    def check(self, directory: str = "./") -> bool:
        """Whether three more of the longest steps, or a tenth of the time, are not left."""
        if self.wall_time is None or self.stopped:
            return False
        outcars = [read_outcar(place) for place in places(Path(directory))]
        longest = max((outcar.seconds_per_step for outcar in outcars if outcar is not None), default=0.0)
        left = self.wall_time - (datetime.datetime.now() - self.start_time).total_seconds()
        return bool(left < max(3 * longest, self.buffer_time))

    def correct(self, directory: str = "./") -> dict[str, Any]:
        """Write the stop file."""
        self.stopped = True
        return dict(super().correct(directory))

    def as_dict(self) -> dict[str, Any]:
        """Say what custodian's log keeps of this handler."""
        return {"@module": type(self).__module__, "@class": type(self).__name__}


class VtstHandler(BandHandler):
    """A VASP without VTST where the highest image is to climb: it would not, and would not say so."""

    def check(self, directory: str = "./") -> bool:
        """Whether a first step was begun without a word of VTST."""
        return any(outcar.begun and outcar.vtst is None for outcar in self._newest(directory).values())

    def correct(self, directory: str = "./") -> dict[str, Any]:
        """Stop: nothing here can mend it."""
        return self._give_up(
            "this VASP has no VTST (no 'VTST: version' in OUTCAR), so no image can climb; use a build with VTST, "
            "or set engine.without_vtst: plain band"
        )


class ForceFieldHandler(BandHandler):
    """Energies of VASP's machine-learned force field (``ML_LMLFF``), which are not those of DFT that were asked for."""

    def check(self, directory: str = "./") -> bool:
        """Whether a step of an image is such a one."""
        self.images = [name for name, outcar in self._newest(directory).items() if outcar.learned]
        return bool(self.images)

    def correct(self, directory: str = "./") -> dict[str, Any]:
        """Stop: what is there has no use."""
        return self._give_up(
            f"energies of image {', '.join(self.images)} are of VASP's machine-learned force field, not of DFT; "
            "set ML_LMLFF to false"
        )


class KilledHandler(BandHandler):
    """A VASP that ended without its last words while this process lives on: once more, from the newest steps."""

    max_num_corrections = 1

    def check(self, directory: str = "./") -> bool:
        """Whether VASP runs no more and an OUTCAR breaks off."""
        if is_running(Path(directory)):
            return False
        newest = self._newest(directory)
        return not newest or any(not outcar.finished for outcar in newest.values())

    def correct(self, directory: str = "./") -> dict[str, Any]:
        """Start it again."""
        return {"errors": ["killed"], "actions": [{"restart": True}]}


class Watch(BandHandler):
    """Calls a function each time custodian looks at the running code; finds nothing wrong."""

    is_terminating = False

    def __init__(self, function: Callable[[], None]) -> None:
        self.function = function

    def check(self, directory: str = "./") -> bool:
        """Look."""
        self.function()
        return False

    def correct(self, directory: str = "./") -> dict[str, Any]:
        """Never called: nothing is ever found."""
        raise NotImplementedError


def usual_handlers(moments: Sequence[float], max_seconds: int | None, watch: Callable[[], None]) -> list[ErrorHandler]:
    """Handlers of every calculation.

    Parameters
    ----------
    moments : sequence of float
        Moment of each site (µB) at the start, in the order of the POSCAR.
    max_seconds : int or None
        Time of this run (s).
    watch : callable
        Called at every look.
    """
    return [
        Watch(watch),
        ForceFieldHandler(),
        MessageHandler(),
        NotANumberHandler(),
        ElectronicHandler(),
        MomentHandler(moments),
        FrozenImageHandler(),
        StopHandler(max_seconds),
        KilledHandler(),
    ]
