"""The models of the embedded engine: by name, or any ASE calculator as ``module:Class``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from ase import Atoms
from ase.stress import full_3x3_to_voigt_6_stress
from monty.json import MSONable
from ruamel.yaml import YAML

from barriers.distribution import install, versions

DISTRIBUTIONS = {"deepmd": "deepmd-kit", "fairchem": "fairchem-core", "mace": "mace-torch", "quippy": "quippy-ase"}
"""Distributions of ASE calculators whose packages go by another name."""


@dataclass
class Evaluation:
    """Energy (eV), forces (eV/Å, shape (N, 3), nothing masked), moments (µB, shape (N,)) and stress of one structure.

    The stress (eV/Å³) is in ASE's order and sign: xx, yy, zz, yz, xz, xy, negative where the cell wants to grow.
    """

    energy: float
    forces: np.ndarray
    moments: np.ndarray | None = None
    stress: np.ndarray | None = None


class Model(Protocol):
    """A loaded potential."""

    batches: bool
    """Whether one call for many structures is cheaper than many calls."""

    def evaluate(self, structures: Sequence[Atoms], moments: bool, stress: bool = False) -> list[Evaluation]:
        """Evaluate structures; moments and stress only where asked for and where the model has them."""


@dataclass(frozen=True)
class ModelSpec(MSONable):
    """Which model, and where its weights and its work go.

    Attributes
    ----------
    name : str
        A name from ``models.yaml``, or an ASE calculator class as ``module:Class``.
    weights : str or None
        File with the weights, for a model whose wheel carries none.
    allow_download : bool
        Let the model fetch its weights.
    device : str
        ``auto``, ``cpu`` or ``cuda``.
    """

    name: str = "chgnet"
    weights: str | None = None
    allow_download: bool = False
    device: str = "auto"


@cache
def known_models() -> dict[str, dict[str, Any]]:
    """The table ``models.yaml``, by name."""
    return YAML(typ="safe").load((files(__package__) / "models.yaml").read_text("utf-8"))


def entry(spec: ModelSpec) -> dict[str, Any]:
    """Look up a model.

    Raises
    ------
    ValueError
        If the name is neither on file nor of the form ``module:Class``.
    """
    if spec.name in known_models():
        return known_models()[spec.name]
    if ":" in spec.name:
        return {"calculator": spec.name, "package": spec.name.split(".")[0].split(":")[0], "weights": "none"}
    close = get_close_matches(spec.name, known_models(), n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    names = ", ".join(known_models())
    raise ValueError(f"model {spec.name!r} is not known; allowed: {names}, or an ASE calculator as module:Class{hint}")


def check_model(spec: ModelSpec) -> None:
    """Say before anything runs what a model lacks.

    Raises
    ------
    ValueError
        If the name, the package or the weights are missing; one line that says how to mend it.
    """
    model = entry(spec)
    if find_spec(model["package"]) is None:
        raise ValueError(f"model {spec.name!r} needs the package {model['package']!r}; {_install(model['package'])}")
    if ":" in spec.name and not callable(resolve(spec.name)):
        raise ValueError(f"model {spec.name!r} is no class that can be called")
    if model["weights"] == "file" and not spec.allow_download and spec.weights is None:
        raise ValueError(
            f"model {spec.name!r} carries no weights; set engine.weights to a file, or engine.allow_download: true"
        )
    if spec.weights is not None and not Path(spec.weights).is_file():
        raise ValueError(f"engine.weights: no file {spec.weights!r}")


def distribution(package: str) -> str:
    """Name of the distribution that brings a package."""
    return DISTRIBUTIONS.get(package, package)


def _install(package: str) -> str:
    extras = {known["package"]: known["extra"] for known in known_models().values() if "extra" in known}
    if package in extras:
        return install(extras[package])
    if package in DISTRIBUTIONS:
        return f"pip install {distribution(package)}"
    return f"install what brings it, or run where {package}.py stands"


def list_models() -> list[dict[str, Any]]:
    """List the models on file: name, what it is, whether it is ready here, and what it needs if not."""
    rows = []
    for name, model in known_models().items():
        try:
            check_model(ModelSpec(name))
            needs = None
        except ValueError as error:
            needs = str(error).partition("; ")[2]
        rows.append({"name": name, "about": model["about"], "ready": needs is None, "needs": needs})
    return rows


def load_model(spec: ModelSpec) -> Model:
    """Load a model into this process."""
    model = entry(spec)
    device = resolve_device(spec) if not is_light(spec) and ":" not in spec.name else None
    options = dict(model.get("options", {}))
    if "loader" in model:
        loaded: Model = resolve(model["loader"])(weights=spec.weights, device=device, **options)
        return loaded
    if model["weights"] == "file":
        options[model["weights_option"]] = spec.weights or model["download_weights"]
    elif spec.weights is not None:
        options["model"] = spec.weights
    if device is not None:
        options["device"] = device
    return CalculatorModel(resolve(model["calculator"])(**options))


class CalculatorModel:
    """Any ASE calculator, asked for no more than is needed."""

    batches = False

    def __init__(self, calculator: Any) -> None:
        self.calculator = calculator

    def evaluate(self, structures: Sequence[Atoms], moments: bool, stress: bool = False) -> list[Evaluation]:
        """Evaluate one structure after the other."""
        results = []
        for atoms in structures:
            atoms.calc = self.calculator
            forces = np.array(atoms.get_forces(apply_constraint=False))
            energy = float(atoms.get_potential_energy())
            spins = self._property("magmoms", atoms) if moments else None
            results.append(Evaluation(energy, forces, spins, self._stress(atoms) if stress else None))
        return results

    def _property(self, name: str, atoms: Atoms) -> np.ndarray | None:
        try:
            return np.array(self.calculator.get_property(name, atoms))
        except (AttributeError, NotImplementedError):
            return None

    def _stress(self, atoms: Atoms) -> np.ndarray | None:
        found = self._property("stress", atoms)
        return None if found is None or found.size < 6 else _six(found)


def _six(stress: np.ndarray) -> np.ndarray:
    """Write a stress of shape (6,) or (3, 3) as ASE's six numbers."""
    return stress if stress.shape == (6,) else np.array(full_3x3_to_voigt_6_stress(stress))


def is_light(spec: ModelSpec) -> bool:
    """Whether a model costs less than handing its work to another process."""
    return bool(entry(spec).get("light", False))


def resolve_device(spec: ModelSpec) -> str:
    """Turn ``auto`` into the device that is there."""
    if spec.device != "auto":
        return spec.device
    if sys.platform == "linux" and not Path("/dev/nvidiactl").exists():
        return "cpu"  # importing torch to learn this takes seconds
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def package_versions(spec: ModelSpec) -> dict[str, str]:
    """Versions of the packages that make the numbers."""
    found = versions()
    for name in (distribution(entry(spec)["package"]), "torch", "ase"):
        with suppress(PackageNotFoundError):  # a module of the user's own has no version
            found |= versions(name)
    return found


def resolve(path: str) -> Any:
    """Import what ``module:Class`` names.

    Raises
    ------
    ValueError
        If it cannot be imported.
    """
    module, _, name = path.partition(":")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"model {path!r} cannot be imported: {error}") from error
