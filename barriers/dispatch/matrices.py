"""What there is of a study of polymer matrices, wherever its jobs are: its results, put together."""

from __future__ import annotations

from collections.abc import Callable

from jobflow import Job

from barriers.dispatch.identity import identify
from barriers.engines.openmm.documents import MdDoc
from barriers.study.forms import MatrixStudy
from barriers.workflow.matrix_documents import MatrixStudyDoc
from barriers.workflow.matrix_runs import MatrixMaker, document_of, is_run


def gathered(study: MatrixStudy, scope: str, result: Callable[[Job], MdDoc | str]) -> MatrixStudyDoc:
    """Put together what there is of a study's runs, in whatever order and number they are done.

    Parameters
    ----------
    study : MatrixStudy
        The study.
    scope : str
        Whose jobs these are, as for :func:`~barriers.dispatch.identity.identify`.
    result : callable
        Gives the document of a job, or says why there is none.
    """
    (part,) = MatrixMaker().parts(study)
    return document_of(study, [result(job) for job, _ in identify(part, scope).iterflow() if is_run(job)])
