"""What goes wrong in the electrons or forces of an image, and is mended for the band as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from custodian.custodian import ErrorHandler
from custodian.vasp.handlers import VaspErrorHandler
from pymatgen.io.vasp import Incar

from barriers.engines.dft import Corrections
from barriers.engines.vasp.folder import places
from barriers.engines.vasp.outputs import StepOutcar, read_outcar

LOCAL_MOMENT = 0.5
"""A site has a moment to flip from this size on (µB)."""

SCF_LADDER: tuple[dict[str, Any], ...] = (
    {"ALGO": "Normal", "NELM": 200, "AMIX": 0.1, "BMIX": 0.0001, "AMIX_MAG": 0.4, "BMIX_MAG": 0.0001},
    {"ALGO": "All", "NELM": 200},
    {"ALGO": "Damped", "TIME": 0.3, "NELM": 300},
)
"""What is tried, in turn, when the electrons do not converge. No rung changes the energies that it converges to."""

ELECTRONIC = ("brmix", "edddav", "eddrmm", "zpotrf", "pssyevx", "pdsyevx", "zheev", "eddiag", "grad_not_orth")
"""Custodian's names of fatal messages that other electronic settings mend; ``coef``: a WAVECAR that is not whole."""

FATAL = (*ELECTRONIC, "coef", "too_few_bands", "triple_product", "posmap", "rhosyg", "read_error", "real_optlay",
         "rspher", "nicht_konv", "pricel", "set_core_wf", "fexcf", "nbands_not_sufficient")  # fmt: skip


class BandHandler(ErrorHandler):
    """Shares what all handlers have: the line that says what could not be mended."""

    is_monitor = True
    line = ""

    def _newest(self, directory: str) -> dict[str, StepOutcar]:
        """OUTCAR of the running calculation in each place, by the place's name."""
        found = {place.name: read_outcar(place) for place in places(Path(directory))}
        return {name: outcar for name, outcar in found.items() if outcar is not None}

    def _give_up(self, line: str) -> dict[str, Any]:
        self.line = line
        return {"errors": [line], "actions": None}

    def as_dict(self) -> dict[str, Any]:
        """Say what custodian's log keeps of this handler."""
        return {"@module": type(self).__module__, "@class": type(self).__name__}


def _next_rung(folder: Path) -> dict[str, Any] | None:
    corrections = Corrections.load(folder)
    number = corrections.count("electronic")
    if number > len(SCF_LADDER):
        return None
    corrections.keywords.update(SCF_LADDER[number - 1])
    corrections.save(folder)
    return SCF_LADDER[number - 1]


class ElectronicHandler(BandHandler):
    """Electrons that do not converge in one image: other electronic settings for all, rung by rung."""

    def check(self, directory: str = "./") -> bool:
        """Whether the last step of an image is not self-consistent."""
        newest = self._newest(directory)
        self.images = [name for name, outcar in newest.items() if outcar.steps and not outcar.steps[-1].self_consistent]
        return bool(self.images)

    def correct(self, directory: str = "./") -> dict[str, Any]:
        """Climb to the next rung."""
        rung = _next_rung(Path(directory))
        if rung is None:
            return self._give_up(
                f"electrons not converged in image {', '.join(self.images)} after {len(SCF_LADDER)} attempts; "
                "set ALGO, AMIX or NELM in engine.incar"
            )
        return {"errors": ["electrons not converged"], "actions": [rung]}


class MessageHandler(VaspErrorHandler):
    """Messages of VASP that custodian knows to be fatal: other electronic settings, or VASP's own words."""

    line = ""

    def __init__(self) -> None:
        super().__init__(errors_subset_to_catch=list(FATAL))

    def check(self, directory: str = "./") -> bool:
        """Whether the standard output holds one."""
        return bool(super().check(directory))

    def correct(self, directory: str = "./") -> dict[str, Any]:
        """Climb the ladder of electronic settings, or remove wavefunctions that cannot be read."""
        folder, names = Path(directory), sorted(self.errors)
        wavecars = [place / "WAVECAR" for place in places(folder) if (place / "WAVECAR").exists()]
        rung = _next_rung(folder) if self.errors & set(ELECTRONIC) else None
        if rung is None and not ("coef" in self.errors and wavecars):
            words = self.error_msgs[names[0]][0]
            self.line = f"VASP stopped with {words!r}; see vasp.out"
            return {"errors": names, "actions": None}
        for wavecar in wavecars:
            wavecar.unlink()
        return {"errors": names, "actions": [rung or {"removed": "WAVECAR"}]}

    def as_dict(self) -> dict[str, Any]:
        """Say what custodian's log keeps of this handler."""
        return {"@module": type(self).__module__, "@class": type(self).__name__}


class NotANumberHandler(BandHandler):
    """Energies or forces that are not numbers: back to the last step that is whole, with steps of half the length."""

    def check(self, directory: str = "./") -> bool:
        """Whether a step of an image holds what is no number."""
        newest = self._newest(directory)
        self.images = [name for name, outcar in newest.items() if any(not step.finite for step in outcar.steps)]
        return bool(self.images)

    def correct(self, directory: str = "./") -> dict[str, Any]:
        """Halve the step."""
        folder = Path(directory)
        corrections, incar = Corrections.load(folder), Incar.from_file(folder / "INCAR")
        if corrections.count("not a number") > 3:
            return self._give_up(
                f"energies or forces of image {', '.join(self.images)} are not numbers; see its OUTCAR"
            )
        usual = {"MAXMOVE": 0.2, "TIMESTEP": 0.1} if incar.get("IOPT") else {"POTIM": 0.1}
        shorter = {key: float(incar.get(key, value)) / 2 for key, value in usual.items()}
        corrections.keywords.update(shorter)
        corrections.save(folder)
        return {"errors": ["not a number"], "actions": [shorter]}


class MomentHandler(BandHandler):
    """An image some of whose moments turned over: its electrons start anew from ``MAGMOM``, once.

    Parameters
    ----------
    moments : sequence of float
        Moment of each site (µB) at the start, in the order of the POSCAR.
    """

    def __init__(self, moments: Sequence[float]) -> None:
        self.moments = np.array(moments)

    def check(self, directory: str = "./") -> bool:
        """Whether a moment has the other sign in the last step of an image."""
        counts = Corrections.load(Path(directory)).counts
        self.images = [
            name
            for name, outcar in self._newest(directory).items()
            if f"moments {name}" not in counts and outcar.steps and self._flipped(outcar.steps[-1].moments)
        ]
        return bool(self.images)

    def _flipped(self, found: np.ndarray | None) -> bool:
        if found is None or len(found) != len(self.moments):
            return False
        large = (np.abs(self.moments) > LOCAL_MOMENT) & (np.abs(found) > LOCAL_MOMENT)
        return bool((self.moments * found < 0)[large].any())

    def correct(self, directory: str = "./") -> dict[str, Any]:
        """Remove the wavefunctions of the images."""
        folder = Path(directory)
        corrections = Corrections.load(folder)
        for place in places(folder):
            if place.name in self.images:
                corrections.count(f"moments {place.name}")
                (place / "WAVECAR").unlink(missing_ok=True)
        corrections.save(folder)
        return {"errors": ["moments flipped"], "actions": [{"removed": f"WAVECAR of {', '.join(self.images)}"}]}
