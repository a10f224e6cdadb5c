"""Read a study file: every problem in it at once, one line each."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from barriers.study.describe import by_key
from barriers.study.errors import StudyError
from barriers.study.fields import Section
from barriers.study.forms import AnyStudy, CrystalStudy, MatrixStudy, form_of
from barriers.study.models import EndpointStudy
from barriers.words import show

Form = TypeVar("Form", bound=Section)


def load_form(path: Path | str) -> AnyStudy | MatrixStudy:
    """Read and check a study file of any form; errors are those of :func:`load_study`."""
    path = Path(path)
    study = read_form(yaml_text(path))
    return study if isinstance(study, MatrixStudy) else _beside(study, path)


def read_form(text: str) -> AnyStudy | MatrixStudy:
    """Check the text of a study file of any form, as :func:`load_form` does."""
    content = parse_yaml(text)
    study: AnyStudy | MatrixStudy = validate(content, form_of(content))
    return study


def load_study(path: Path | str) -> AnyStudy:
    """Read and check a study file of barriers.

    Structure files that it names are taken relative to its folder.

    Parameters
    ----------
    path : Path or str
        A YAML file in UTF-8.

    Raises
    ------
    StudyError
        With every problem of the file, one line each.
    """
    path = Path(path)
    return _beside(read_study(yaml_text(path)), path)


def _beside(study: AnyStudy, path: Path) -> AnyStudy:
    return with_files(study, lambda file: str(path.parent / file))


def with_files(study: AnyStudy, place: Callable[[str], str]) -> AnyStudy:
    """Give a study with every structure file that it names replaced by what ``place`` gives for it."""
    if isinstance(study, CrystalStudy):
        crystal = study.crystal.model_copy(update={"file": place(study.crystal.file)})
        return study.model_copy(update={"crystal": crystal})
    if isinstance(study, EndpointStudy):
        files = {which: place(file) for which, file in study.endpoints.model_dump().items()}
        return study.model_copy(update={"endpoints": study.endpoints.model_copy(update=files)})
    changed: dict[str, Any] = {
        name: section.model_copy(update={"file": place(section.file)})
        for name in ("cathode", "slab")
        if (section := getattr(study, name)) is not None and section.file is not None
    }
    changed["systems"] = tuple(
        system
        if system.fragment is None or system.fragment.file is None
        else system.model_copy(
            update={"fragment": system.fragment.model_copy(update={"file": place(system.fragment.file)})}
        )
        for system in study.systems
    )
    return study.model_copy(update=changed)


def yaml_text(path: Path) -> str:
    """Read the text of a YAML file; a :class:`StudyError` says why it cannot be read."""
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise StudyError([f"{path}: byte {error.start} is not UTF-8; allowed: a YAML file in UTF-8"]) from None
    except OSError as error:
        raise StudyError([f"{path}: {error.strerror}; allowed: a YAML file in UTF-8"]) from None


def read_study(text: str) -> AnyStudy:
    """Check the text of a study file, as :func:`load_study` does: its form follows from its keys."""
    study = read_form(text)
    if isinstance(study, MatrixStudy):
        raise StudyError(
            ["matrix: a matrix has no barriers; allowed: barriers check, build, run, submit, status, show, report"]
        )
    return study


def validate(content: Any, form: type[Form], context: Any = None) -> Form:
    """Check what a file holds against the section it has to be.

    Parameters
    ----------
    content : Any
        As parsed.
    form : type
        Model of the whole file.
    context : Any
        What its validators need to know besides.

    Raises
    ------
    StudyError
        With every problem, one line each.
    """
    if not isinstance(content, dict):
        what = "the file is empty" if content is None else f"the file: {show(content)} is no section"
        raise StudyError([f"{what}; allowed: a section with {', '.join(by_key(form))}"])
    return form.model_validate(content, by_alias=True, by_name=False, context=context)


def parse_yaml(text: str) -> Any:
    """Parse YAML; a :class:`StudyError` says where it is none."""
    # The pure reader follows YAML 1.2 (`NO` and `1:30` are text) and refuses a key that stands twice.
    try:
        return YAML(typ="safe", pure=True).load(text)
    except MarkedYAMLError as error:
        problem = ", ".join(part.splitlines()[0] for part in (error.context, error.problem) if part)
        if twice := re.search(r'found duplicate key "(.*?)" with', problem):
            problem = f"key {twice[1]!r} stands twice; allowed: each key once"
        where = error.problem_mark or error.context_mark
        at = f"line {where.line + 1}, column {where.column + 1}: " if where else ""
        raise StudyError([f"{at}{problem}"]) from None
    except (YAMLError, ValueError, TypeError, LookupError, RecursionError) as error:
        raise StudyError([f"the file is no YAML: {str(error).splitlines()[0]}"]) from None


@contextmanager
def naming_lines(what: Path | str) -> Iterator[None]:
    """Put the file or the key in front of every line of an error."""
    try:
        yield
    except ValueError as error:
        raise ValueError("\n".join(f"{what}: {line}" for line in str(error).splitlines())) from None
