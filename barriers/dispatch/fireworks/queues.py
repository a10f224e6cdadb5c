"""The queueing systems: what each calls a job's resources, and what its job script can be told."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from pathlib import Path

from fireworks.queue.queue_adapter import QScriptTemplate
from fireworks.utilities.fw_utilities import get_slug

NAMES = {
    "SLURM": {"nodes": "nodes", "cores": "ntasks", "memory": "mem"},
    "PBS": {"nodes": "nnodes", "cores": "ppnode", "memory": "pmem"},
    "SGE": {"nodes": "nodes", "cores": "ntasks", "memory": "mem"},
    "LoadSharingFacility": {"nodes": "nodes", "cores": "ntasks", "memory": "mem"},
}
"""Keys of the job-script templates, by queueing system; ``walltime``, ``queue`` and ``account`` are the same in all.

FireWorks' own templates of SGE and LSF have no place for nodes and memory, that of SGE none for cores and walltime: a
template of the user's own (``_fw_template_file``) may have them under these names.
"""

FILLED_IN = {"job_name", "launch_dir", "pre_rocket", "rocket_launch", "post_rocket"}
"""Places of a template that are no resources."""


@dataclass(frozen=True)
class Queue:
    """A queueing system with its job-script template.

    Attributes
    ----------
    kind : str
        One of :data:`NAMES`, FireWorks' word for it.
    template : Path
        The job script with places for keys.
    """

    kind: str
    template: Path

    @property
    def keys(self) -> list[str]:
        """What the template has a place for, in its order."""
        return list(dict.fromkeys(QScriptTemplate(self.template.read_text("utf-8")).get_identifiers()))

    @property
    def resources(self) -> list[str]:
        """The keys that ask for something from the queue."""
        return [key for key in self.keys if key not in FILLED_IN]

    def key(self, field: str) -> str:
        """Translate a field of a kind of job into the template's key."""
        return NAMES[self.kind].get(field, field)

    def job_name(self, study: str, job: str) -> str:
        """Name a job so that it can be read in the queue, and is taken there.

        Torque, which the job script of PBS is for, takes 15 characters; it and SGE want a letter first.
        """
        name = get_slug((job if self.kind == "PBS" else f"{study} {job}").replace("@", "-"))
        if self.kind in ("PBS", "SGE") and not name[:1].isalpha():
            name = f"b{name}"
        return name[:15] if self.kind == "PBS" else name

    def values(self, asked: dict[str, str | int]) -> dict[str, str | int]:
        """Put what a job asks for into the words of the queueing system.

        Parameters
        ----------
        asked : dict
            ``nodes``, ``cores`` (of all nodes), ``memory`` (of a node, e.g. ``16GB``), ``walltime`` (``HH:MM:SS``),
            ``queue``, ``account``; what is left out stays the queue's or ``my_qadapter.yaml``'s choice.

        Returns
        -------
        dict
            Values by the template's keys; a key that it has no place for is left out.
        """
        asked = dict(asked)
        if self.kind == "PBS":  # asks for cores by node, and for memory by core
            nodes = asked["nodes"] = int(asked.get("nodes", 1))
            cores = asked["cores"] = ceil(int(asked["cores"]) / nodes)
            if memory := asked.get("memory"):
                asked["memory"] = f"{megabytes(str(memory)) // cores}mb"
        elif memory := asked.get("memory"):
            asked["memory"] = f"{megabytes(str(memory))}M"
        if self.kind == "LoadSharingFacility" and (walltime := asked.get("walltime")):  # takes hours and minutes
            hours, minutes, seconds = map(int, str(walltime).split(":"))
            total = hours * 60 + minutes + (seconds > 0)
            asked["walltime"] = f"{total // 60}:{total % 60:02d}"
        keys = self.keys
        return {self.key(field): value for field, value in asked.items() if self.key(field) in keys}


def megabytes(memory: str) -> int:
    """Read an amount of memory such as ``500MB`` or ``16GB``, in units of 2²⁰ bytes."""
    return int(memory[:-2]) * {"MB": 1, "GB": 1024, "TB": 1024**2}[memory[-2:]]
