"""A job that needs help, as it was seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Trouble = Literal["lost", "not started", "failed", "not converged", "no result", "silent"]
"""``silent``: the queue, or this machine, still has it, so that it may be alive; it is left alone."""


@dataclass(frozen=True)
class Suspect:
    """A job that needs help.

    Attributes
    ----------
    trouble : str
        What is the matter.
    words : str
        What is known of it, the last words of job or queue included.
    firework : dict
        ``fw_id``, ``state``, ``launches`` and ``spec.barriers`` as they were seen.
    record : dict
        What the job last told of itself, in this launch or an earlier one; empty if it never did.
    silent : float
        Seconds since its last sign of life.
    sure : bool
        Whether one look is enough to know.
    """

    trouble: Trouble
    words: str
    firework: dict[str, Any]
    record: dict[str, Any]
    silent: float
    sure: bool

    @property
    def about(self) -> dict[str, Any]:
        """What the study says of the job."""
        about: dict[str, Any] = self.firework["spec"]["barriers"]
        return about

    @property
    def mark(self) -> tuple[Any, ...]:
        """Changes with every sign of life."""
        return (self.firework["state"], tuple(self.firework["launches"]), self.record.get("beat"), self.trouble)
