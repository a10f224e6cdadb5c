"""CHGNet asked only for what is needed: about half the cost and memory of its own ASE calculator."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Sequence
from typing import Literal

import numpy as np
from ase import Atoms, units
from ase.stress import full_3x3_to_voigt_6_stress
from pymatgen.io.ase import AseAtomsAdaptor

from barriers.engines.mlip.models import Evaluation

PredTask = Literal["ef", "efs", "efsm"]
"""What the model is asked for, in its own words."""


class ChgnetModel:
    """CHGNet with frozen parameters, moments and stress only on request.

    Parameters
    ----------
    version : str
        Version whose weights the wheel carries: ``0.3.0``, ``0.2.0``, ``r2scan``.
    weights : str or None
        Weights file to load instead.
    device : str
        ``cpu`` or ``cuda``.
    """

    def __init__(self, version: str, weights: str | None, device: str) -> None:
        from chgnet.model.model import CHGNet

        with contextlib.redirect_stdout(io.StringIO()):
            self.model = CHGNet.from_file(weights) if weights else CHGNet.load(model_name=version, use_device=device)
        self.model = self.model.to(device)
        self.model.requires_grad_(False)
        self.model.graph_converter.set_isolated_atom_response("error")
        self.batches = device != "cpu"
        warnings.filterwarnings("ignore", message="Converting a tensor with requires_grad")

    def evaluate(self, structures: Sequence[Atoms], moments: bool, stress: bool = False) -> list[Evaluation]:
        """Evaluate structures in one batch where that pays (GPU), else one after the other."""
        task: PredTask = "efsm" if moments else "efs" if stress else "ef"
        if self.batches:
            return self._evaluate(structures, task)
        return [result for atoms in structures for result in self._evaluate([atoms], task)]

    def _evaluate(self, structures: Sequence[Atoms], task: PredTask) -> list[Evaluation]:
        graphs = [self.model.graph_converter(AseAtomsAdaptor.get_structure(atoms)) for atoms in structures]
        predictions = self.model.predict_graph(graphs, task=task, batch_size=len(graphs))
        predictions = predictions if isinstance(predictions, list) else [predictions]
        return [
            Evaluation(
                energy=float(prediction["e"]) * (len(atoms) if self.model.is_intensive else 1),
                forces=np.array(prediction["f"], dtype=float),
                moments=np.array(prediction["m"], dtype=float) if "m" in task else None,
                # CHGNet's own unit is GPa.
                stress=full_3x3_to_voigt_6_stress(prediction["s"]) * units.GPa if "s" in task else None,
            )
            for atoms, prediction in zip(structures, predictions, strict=True)
        ]
