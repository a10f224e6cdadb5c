"""What the makers of all engines share."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from jobflow import Maker, job
from pymatgen.core import Structure

from barriers.documents import RelaxDoc


@dataclass(frozen=True)
class Script:
    """What runs input files in the folder that they were written to.

    Attributes
    ----------
    lines : tuple[str, ...]
        Lines of a shell script.
    processes : int or None
        Processes that are started; None where only the job will know it.
    max_seconds : int or None
        The code stops softly after this time (s).
    """

    lines: tuple[str, ...]
    processes: int | None
    max_seconds: int | None


@dataclass
class EngineMaker(Maker):
    """What makers of all engines share: they say themselves what they compute.

    An engine adds ``rests_on``. Another package's maker that has a method ``identity`` is asked in the same way. An
    engine whose code reads files adds ``write_inputs(folder, …)`` too: it takes what ``make`` takes, writes to the
    folder and gives the :class:`Script`. Its ``take_in(folder, …)`` copies what a run by hand left there to where
    ``make`` looks for it, and says whether that run converged: then ``make`` starts no code.
    """

    computes: ClassVar[str] = "static/1"
    """Function of physics. Its number is raised when the same settings and inputs give another result than before."""

    @property
    def tolerances(self) -> dict[str, float]:
        """Tolerances that the numbers depend on."""
        return {}

    def rests_on(self, elements: Collection[str] | None = None) -> dict[str, Any]:
        """Say which settings and files the numbers rest on, in full: no names, paths, versions or commands.

        Parameters
        ----------
        elements : collection of str or None
            Those of the structure; None if it is not known yet.
        """
        raise NotImplementedError

    def fine(self) -> Self:
        """Maker whose forces can be subtracted from each other, for second derivatives; itself where they all can."""
        return self

    def identity(self, elements: Collection[str] | None = None) -> dict[str, Any]:
        """Say what is computed and from what, besides the inputs; equal contents give equal numbers.

        Parameters
        ----------
        elements : collection of str or None
            Those of the structure; None if it is not known yet.
        """
        return {"computes": self.computes, **self.rests_on(elements), "tolerances": self.tolerances}


@dataclass
class BaseRelaxMaker(EngineMaker):
    """Relaxation at fixed cell, frozen atoms held; an engine says how.

    Attributes
    ----------
    name : str
        Name of the job.
    fmax : float
        Largest force at the end (eV/Å).
    max_steps : int
        Most steps in one run; a further run continues.
    """

    name: str = "relax"
    fmax: float = 0.03
    max_steps: int = 500
    computes: ClassVar[str] = "relax/1"

    @property
    def tolerances(self) -> dict[str, float]:
        """Tolerances that the numbers depend on."""
        return {"fmax": self.fmax}

    @job(output_schema=RelaxDoc)
    def make(self, structure: Structure, before: RelaxDoc | None = None) -> RelaxDoc:
        """Relax ``structure``, going on from where it was relaxed to a larger force ``before``."""
        if before is None:
            return self.relaxed(structure)
        document = self.relaxed_further(before.structure)
        return document.model_copy(update={"went_on_from": f"{before.fmax:g} eV/Å"})

    def goes_on_from(self, before: RelaxDoc, _structure: Structure) -> bool:
        """Whether a result fits, whose structure and settings are the same: it always does."""
        return before.fmax > self.fmax

    def relaxed(self, structure: Structure) -> RelaxDoc:
        """Relax a structure."""
        raise NotImplementedError

    def relaxed_further(self, structure: Structure) -> RelaxDoc:
        """Relax a structure that was relaxed to a larger force."""
        return self.relaxed(structure)
