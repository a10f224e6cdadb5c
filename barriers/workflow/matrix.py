"""The flow of a study of polymer matrices: boxes built, run at each temperature, and compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, ClassVar

from jobflow import Flow, Job, Maker, job

from barriers.engines.base import EngineMaker
from barriers.engines.openmm.documents import BoxDoc, MdDoc
from barriers.engines.openmm.jobs import MdMaker
from barriers.engines.openmm.protocol import Protocol
from barriers.structures.matrix.composition import Matrix
from barriers.workflow.labels import despite_failures, jobs_of, label
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
        Name of the flow.
    temperatures : tuple of float
        In K.
    boxes : int
        Of each matrix.
    seed : int
        Of chains, coils and packing.
    protocol : Protocol
        Of all runs, but for the temperature.
    """

    name: str = "matrices"
    temperatures: tuple[float, ...] = (400.0,)
    boxes: int = 3
    seed: int = 0
    protocol: Protocol = field(default_factory=lambda: Protocol(400.0, 2000.0))

    def make(self, matrices: Sequence[Matrix]) -> Flow:
        """Build the flow; the first matrix is the reference."""
        built = {
            (matrix.name, number): label(
                BoxMaker().make(asdict(matrix), self.seed, number),
                f"{matrix.name}, box {number}: build",
                matrix.name,
                f"box {number}",
            )
            for number in range(1, self.boxes + 1)
            for matrix in matrices
        }
        asked = [
            Asked(system=system, number=number, temperature=temperature)
            for temperature in self.temperatures
            for system, number in built
        ]
        runs = [self._run(built[each.system, each.number], each) for each in asked]
        result = matrix_document(self.name, matrices[0].name, asked, [run.output for run in runs])
        despite_failures(label(result, f"{self.name}: comparison"))
        return Flow([*built.values(), *runs, result], result.output, self.name)

    def _run(self, box: Job, asked: Asked) -> Job:
        maker = MdMaker(protocol=replace(self.protocol, temperature=asked.temperature))
        words = f"box {asked.number}, {asked.temperature:g} K"
        return label(maker.make(box.output), f"{asked.system}, {words}: {RUN}", asked.system, words)


def gathered(flow: Flow, result: Callable[[Job], MdDoc | str]) -> MatrixStudyDoc:
    """Put together what there is of a flow's runs.

    Parameters
    ----------
    flow : Flow
        What :class:`MatrixMaker` gives.
    result : callable
        Gives the document of a run, or says why there is none.
    """
    jobs = list(jobs_of(flow))
    runs = [result(job) for job in jobs if job.name.endswith(f": {RUN}")]
    name, reference, asked, _ = jobs[-1].function_args
    document: MatrixStudyDoc = matrix_document.original(name, reference, asked, runs)
    return document
