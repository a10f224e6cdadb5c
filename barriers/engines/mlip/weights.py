"""What decides on a model's numbers: its weights, or the source of a calculator of the user's own."""

from __future__ import annotations

import hashlib
import inspect
import sysconfig
from contextlib import suppress
from functools import cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path
from typing import Any

from barriers.contents import digest
from barriers.engines.checked_files import file_checksum
from barriers.engines.mlip.models import Model, ModelSpec, distribution, entry, load_model, resolve

CHOOSES_WEIGHTS = ("version", "model")
"""Options of ``models.yaml`` that say no more than which weights a wheel holds; the weights themselves are known."""


def potential(spec: ModelSpec) -> dict[str, Any]:
    """Say what decides on a model's numbers, as it is in the key of a calculation.

    Returns
    -------
    dict[str, Any]
        A known model with weights is its package and the checksum of the weights, one without weights its name, a
        calculator ``module:Class`` of the user's own the class and the checksum of its source, one of an installed
        package its name and that package's version, where it has one. What cannot be read here stands in it by its
        name: a flow may be built where the weights are not.
    """
    model = entry(spec)
    content: dict[str, Any] = {"model": spec.name}
    if ":" in spec.name:
        content = _calculator(spec.name)
    elif spec.weights is not None or model["weights"] != "none":
        options = {key: value for key, value in model.get("options", {}).items() if key not in CHOOSES_WEIGHTS}
        content = {"package": model["package"]} | ({"options": options} if options else {})
        if spec.weights is None and model["weights"] == "file":
            content["download"] = model["download_weights"]
    try:
        if (weights := weights_checksum(spec)) is not None:
            content["weights"] = weights
    except (OSError, ImportError):
        content["not readable here"] = spec.weights or spec.name
    return content


def weights_checksum(spec: ModelSpec) -> str | None:
    """SHA-256 of the user's weights file, or of the one in the wheel; None where there are none, or they are fetched.

    Raises
    ------
    OSError, ImportError
        If the file or the package is not here.
    """
    model = entry(spec)
    if spec.weights is not None:
        return file_checksum(Path(spec.weights))
    if model["weights"] == "wheel":
        return file_checksum(_weights_in_wheel(model["package"], model["weights_file"]))
    return None


def load_as(spec: ModelSpec, expected: str) -> Model:
    """Load a model whose :func:`potential` has an expected digest.

    Raises
    ------
    RuntimeError
        If its weights or its source are others by now, or were changed while they were read.
    """
    before = digest(potential(spec))
    model = load_model(spec)
    if not before == expected == digest(potential(spec)):
        what = f"engine.weights: {spec.weights}" if spec.weights else f"engine.model: the source of {spec.name}"
        raise RuntimeError(f"{what} was changed while a job used it; run again")
    return model


@cache
def _weights_in_wheel(package: str, pattern: str) -> Path:
    found = sorted(Path(str(files(package))).rglob(pattern))
    if len(found) != 1:
        raise ImportError(f"{len(found)} files {pattern} in the package {package}, one expected")
    return found[0]


def _calculator(name: str) -> dict[str, Any]:
    module, _, called = name.partition(":")
    try:
        source = _own_source(module, resolve(name))
    except ValueError:
        return {"not importable here": name}
    if source is not None:
        return {"class": called, "source": source}
    package = distribution(module.partition(".")[0])
    with suppress(PackageNotFoundError):
        return {"model": name, "package": f"{package} {version(package)}"}
    return {"model": name}


@cache
def _own_source(module: str, calculator: Any) -> str | None:
    """SHA-256 of the source files of a calculator, as far as they are the user's own.

    They are the module that it is named in, which may take it from elsewhere or choose another one, and those of its
    class and the classes that inherits from. Looked at once for each class that was loaded: what runs in this process
    is what stood there then.
    """
    classes = inspect.getmro(calculator) if isinstance(calculator, type) else [calculator]
    sources = []
    for each in (import_module(module), *classes):
        try:
            path = Path(inspect.getfile(each)).resolve()
        except TypeError:  # built in
            continue
        if not any(path.is_relative_to(folder) for folder in _installed()):
            sources.append(file_checksum(path))
    if not sources:
        return None
    return hashlib.sha256("\n".join(dict.fromkeys(sources)).encode()).hexdigest()


@cache
def _installed() -> list[Path]:
    """Folders of Python itself and of installed distributions."""
    return [Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib", "purelib", "platlib")]
