"""The flow of a study of polymer matrices: boxes built, run at each temperature, and compared."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from jobflow import Flow, Job, Maker, job

from barriers.engines.base import EngineMaker
from barriers.engines.openmm.documents import BoxDoc, MdDoc
from barriers.engines.openmm.jobs import MdMaker
from barriers.engines.openmm.protocol import Protocol
from barriers.structures.matrix.composition import Matrix
from barriers.study.forms import MatrixStudy
from barriers.workflow.labels import despite_failures, label
from barriers.workflow.matrix import matrices
from barriers.workflow.matrix_documents import Asked, MatrixStudyDoc, matrix_document

RUN = "md"
"""What a job does that runs a box; its name ends with it."""


@dataclass
class BoxMaker(EngineMaker):
    """Builds one box of a matrix: the document carries its files, so that it can be run anywhere."""

    name: str = "build box"
    computes: ClassVar[str] = "box/1"
    kind: ClassVar[str] = "md"

    def rests_on(self, _elements: Any = None) -> dict[str, Any]:
        """Say what the box rests on besides its composition: the force field, whose names are in its document."""
        from barriers.engines.openff.force_field import CHARGES, FORCE_FIELD

        return {"engine": "openff", "force_field": FORCE_FIELD, "charges": CHARGES}

    @job(output_schema=BoxDoc)
    def make(self, matrix: dict[str, Any], seed: int, number: int) -> BoxDoc:
        """Build box ``number`` of a matrix, whose fields are given."""
        from barriers.engines.openff.build import build_box

        return BoxDoc.of(build_box(Matrix(**matrix), seed, number))


@dataclass
class MatrixMaker(Maker):
    """Transport in polymer matrices.

    1. Build independent boxes of each matrix.
    2. Run each box at each temperature, to its density and then at constant volume, and read its trajectory off.
    3. Put the boxes of a matrix together, and the matrices beside each other.

    Attributes
    ----------
    name : str
        Name of the flow; the study's name if left empty.
    """

    name: str = ""

    def make(self, study: MatrixStudy) -> Flow:
        """Build the flow of a study."""
        (part,) = self.parts(study)
        runs = [job for job in part if is_run(job)]
        result = matrix_document(*_about(study), [job.output for job in runs])
        despite_failures(label(result, f"{study.name}: comparison"))
        return Flow([part, result], result.output, self.name or study.name)

    def parts(self, study: MatrixStudy) -> list[Flow]:
        """Build the jobs of :meth:`make`, but for the comparison: one part."""
        shared = study.matrix
        built = {
            (matrix.name, number): label(
                BoxMaker().make(asdict(matrix), shared.seed, number),
                f"{matrix.name}, box {number}: build",
                matrix.name,
                f"box {number}",
            )
            for number in range(1, shared.boxes + 1)
            for matrix in matrices(study)
        }
        runs = [_run(study, built[each.system, each.number], each) for each in asked_of(study)]
        return [Flow([*built.values(), *runs], name=self.name or study.name)]


def asked_of(study: MatrixStudy) -> list[Asked]:
    """List the runs of a study: first one box of each system at the first temperature, so that each is seen early."""
    return [
        Asked(system=matrix.name, number=number, temperature=temperature)
        for number in range(1, study.matrix.boxes + 1)
        for temperature in study.matrix.temperature
        for matrix in matrices(study)
    ]


def protocol_of(study: MatrixStudy, temperature: float) -> Protocol:
    """Give what is done to a box at a temperature (K)."""
    settings = study.dynamics.model_dump() | {"production": 1000 * study.dynamics.production}
    return Protocol(temperature, **settings)


def is_run(job: Job) -> bool:
    """Tell whether a job runs a box."""
    return bool(job.name.endswith(f": {RUN}"))


def document_of(study: MatrixStudy, runs: list[MdDoc | str]) -> MatrixStudyDoc:
    """Put together the runs of a study, in the order of :func:`asked_of`; of those that are missing, why."""
    document: MatrixStudyDoc = matrix_document.original(*_about(study), runs)
    return document


def _about(study: MatrixStudy) -> tuple[str, str, list[Asked]]:
    return study.name, matrices(study)[0].name, asked_of(study)


def _run(study: MatrixStudy, box: Job, asked: Asked) -> Job:
    words = f"box {asked.number}, {asked.temperature:g} K"
    maker = MdMaker(protocol=protocol_of(study, asked.temperature))
    return label(maker.make(box.output), f"{asked.system}, {words}: {RUN}", asked.system, words)
