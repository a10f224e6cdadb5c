"""What jobs ask from the machine that computes, by kind of job: the file ``resources.yaml``."""

from __future__ import annotations

import getpass
import string
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, PrivateAttr, ValidationInfo, field_validator

from barriers.dispatch.fireworks.queues import Queue
from barriers.study.fields import Section, refusal, takes, unit
from barriers.study.file import validate

if TYPE_CHECKING:
    from barriers.workflow.labels import Kind

ANALYSIS, COMPUTE = "barriers-analysis", "barriers-compute"
"""FireWorks categories: a worker of the first takes no calculation, so analysis waits in no big queue."""

PRIORITIES = {"analysis": 20, "neb": 10, "static": 0, "relax": 0, "md": 0}
"""First what others wait for and what takes a moment, then bands, so that the first barriers are there early."""

_ASKED = ("nodes", "cores", "memory", "walltime", "queue", "account")

Short = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\s\p{C}]+$")]


@dataclass(frozen=True)
class JobResources:
    """What one job gets.

    Attributes
    ----------
    category : str
        :data:`ANALYSIS` or :data:`COMPUTE`.
    priority : int
        The higher, the earlier.
    queueadapter : dict
        Values by the keys of the queue's job-script template.
    cores : int
        Of all nodes together.
    command : str or None
        Command line of a DFT engine, or None: the study's own.
    """

    category: str
    priority: int
    queueadapter: dict[str, Any]
    cores: int
    command: str | None


class KindSection(Section):
    """Resources of one kind of job; what is left out is the choice of my_qadapter.yaml and of the queue."""

    nodes: int | None = Field(None, ge=1, le=10_000, description="machines")
    cores: int = Field(1, ge=1, le=1_000_000, description="cores on all of them together")
    memory: str | None = Field(
        None,
        pattern=r"^[1-9]\d*[MGT]B$",
        description="of one machine",
        json_schema_extra=takes("a number with MB, GB or TB, e.g. 16GB"),
    )
    walltime: str | None = Field(
        None,
        pattern=r"^\d+:[0-5]\d:[0-5]\d$",
        description="longest time in the queue's hands",
        json_schema_extra=takes("HH:MM:SS, e.g. 24:00:00"),
    )
    queue: Short | None = Field(None, description="partition or queue", json_schema_extra=takes("its name"))
    account: Short | None = Field(None, description="who pays", json_schema_extra=takes("its name"))
    priority: int | None = Field(None, ge=-1000, le=1000, description="the higher, the earlier")
    command: str | None = Field(
        None,
        validate_default=True,
        description="command line of the DFT code, instead of the study's engine.command",
        json_schema_extra=takes("e.g. 'mpirun -np {cores} neb.x'; {cores}, and {images} of a band, are filled in"),
    )
    queueadapter: dict[str, Any] = Field(
        default_factory=dict,
        description="further keys of the job script",
        json_schema_extra=takes("keys of the queue's job-script template"),
    )

    @field_validator(*_ASKED, "cores_per_image", "queueadapter", check_fields=False)
    @classmethod
    def _has_a_place(cls, value: Any, info: ValidationInfo) -> Any:
        queue: Queue | None = info.context
        if queue is None or value is None:
            return value
        where = f"the job script of {queue.kind} ({queue.template.name})"
        if info.field_name == "queueadapter":
            for key in value:
                if key not in queue.resources:
                    raise refusal(key, f"has no place in {where}", queue.resources, (key,))
            return value
        key = queue.key(str(info.field_name).removesuffix("_per_image"))
        if key not in queue.keys:
            mend = f"nothing here, or a template of your own with $${{{key}}} (my_qadapter.yaml: _fw_template_file)"
            raise refusal(value, f"has no place in {where}", mend)
        return value

    @field_validator("command")
    @classmethod
    def _fills_in(cls, command: str | None) -> str | None:
        known = cls._places()
        try:
            places = [name for _, name, _, _ in string.Formatter().parse(command or "") if name is not None]
        except ValueError:
            raise refusal(command, "has a brace without its partner", f"braces around {', '.join(known)}") from None
        for place in places:
            if place not in known:
                raise refusal(f"{{{place}}}", "is filled in with nothing", known)
        return command

    @classmethod
    def _places(cls) -> list[str]:
        return ["cores"]

    def cores_of(self, n_images: int | None) -> int:
        """Cores of a job; ``n_images`` (intermediate images) matters to a band alone."""
        del n_images
        return self.cores


class NebSection(KindSection):
    """Resources of a band."""

    cores_per_image: int | None = Field(
        None, ge=1, le=100_000, description="instead of cores: these, times the intermediate images"
    )

    @field_validator("cores_per_image")
    @classmethod
    def _instead_of_cores(cls, value: int | None, info: ValidationInfo) -> int | None:
        if value is not None and info.data.get("cores", 1) != 1:
            raise refusal(value, "stands beside cores", "one of the two")
        return value

    @classmethod
    def _places(cls) -> list[str]:
        return ["cores", "images"]

    def cores_of(self, n_images: int | None) -> int:
        """Cores of a band of so many intermediate images."""
        return self.cores if self.cores_per_image is None else self.cores_per_image * (n_images or 1)


class KindsSection(Section):
    """Resources by kind of job."""

    static: KindSection = Field(default_factory=KindSection, description="energy of one structure")
    relax: KindSection = Field(default_factory=KindSection, description="relaxation")
    neb: NebSection = Field(default_factory=NebSection, description="band")
    md: KindSection = Field(
        default_factory=KindSection, description="molecular dynamics of one box; a walltime costs it no whole segment"
    )
    analysis: KindSection = Field(default_factory=KindSection, description="structures and results, no engine")


class Resources(Section):
    """What jobs ask for on the machine that computes: resources.yaml of barriers."""

    folder: Annotated[Path, Field(strict=False)] = Field(
        description="folder of the jobs on the machine that computes",
        json_schema_extra=takes("an absolute path that the login and the compute nodes share"),
    )
    owner: Short = Field(
        default_factory=getpass.getuser,
        description="whose studies these are, where several share a database",
        json_schema_extra=takes("a name without spaces"),
    )
    heartbeat: int = Field(
        20, ge=1, le=3600, description="how often a running job says so", json_schema_extra=unit("s")
    )
    max_in_queue: int = Field(100, ge=1, le=100_000, description="most jobs in the queue at once")
    kinds: KindsSection = Field(default_factory=KindsSection, description="what each kind of job gets")

    _queue: Queue | None = PrivateAttr(None)

    def model_post_init(self, context: Any) -> None:
        """Keep the queue that the file was checked against."""
        self._queue = context

    @field_validator("folder")
    @classmethod
    def _absolute(cls, folder: Path) -> Path:
        if not folder.is_absolute():
            raise refusal(str(folder), "is no absolute path", "a path that starts with /")
        return folder

    def job_name(self, study: str, job: str) -> str:
        """Name of a job in the queue, as :meth:`~barriers.dispatch.fireworks.queues.Queue.job_name` gives it."""
        assert self._queue is not None
        return self._queue.job_name(study, job)

    def checked(self, queueadapter: dict[str, Any]) -> dict[str, Any]:
        """Give keys of the job script as they are; one that it has no place for is an error."""
        return validate({"queueadapter": queueadapter}, KindSection, self._queue).queueadapter

    def for_job(self, kind: Kind, n_images: int | None = None) -> JobResources:
        """Say what a job gets.

        Parameters
        ----------
        kind : str
            Kind of job.
        n_images : int or None
            Intermediate images of a band.
        """
        section: KindSection = getattr(self.kinds, kind)
        cores = section.cores_of(n_images)
        asked = {name: value for name in _ASKED if (value := getattr(section, name)) is not None} | {"cores": cores}
        return JobResources(
            category=ANALYSIS if kind == "analysis" else COMPUTE,
            priority=PRIORITIES[kind] if section.priority is None else section.priority,
            queueadapter=(self._queue.values(asked) if self._queue else {}) | section.queueadapter,
            cores=cores,
            command=section.command and section.command.format(cores=cores, images=n_images or 1),
        )
