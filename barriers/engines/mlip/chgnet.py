"""CHGNet asked only for what is needed: less than half the cost and memory of its own ASE calculator."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from ase import Atoms, units
from ase.stress import full_3x3_to_voigt_6_stress

from barriers.engines.mlip.chgnet_graph import graph_of
from barriers.engines.mlip.models import Evaluation

if TYPE_CHECKING:
    from chgnet.graph.crystalgraph import CrystalGraph


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
        self.model = self.model.to(device).eval()
        self.model.requires_grad_(False)
        self.batches = device != "cpu"
        warnings.filterwarnings("ignore", message="Converting a tensor with requires_grad")

    def evaluate(self, structures: Sequence[Atoms], moments: bool, stress: bool = False) -> list[Evaluation]:
        """Evaluate structures in one batch where that pays (GPU), else one after the other."""
        found = self._with_stress if stress else self._plainly
        if self.batches:
            return found(structures, moments)
        return [result for atoms in structures for result in found([atoms], moments)]

    def _graphs(self, structures: Sequence[Atoms]) -> list[CrystalGraph]:
        converter, device = self.model.graph_converter, next(self.model.parameters()).device
        cutoffs = converter.atom_graph_cutoff, converter.bond_graph_cutoff
        return [graph_of(atoms, *cutoffs).to(device) for atoms in structures]

    def _plainly(self, structures: Sequence[Atoms], moments: bool) -> list[Evaluation]:
        """Take the forces off the energy: those of CHGNet 0.4.2 are ready to be trained on, for a third more time."""
        import torch

        graphs = self._graphs(structures)
        prediction = self.model(graphs, task="em" if moments else "e")
        energies = prediction["e"].double().reshape(-1)
        if self.model.is_intensive:
            energies = energies * energies.new_tensor([len(atoms) for atoms in structures])
        slopes = torch.autograd.grad(energies.sum(), [graph.atom_frac_coord for graph in graphs])
        of_sites = prediction["m"] if moments else [None] * len(graphs)
        return [
            Evaluation(
                energy=float(energy),
                forces=-np.linalg.solve(atoms.cell.array, slope.cpu().double().numpy().T).T,
                moments=None if found is None else found.detach().cpu().double().numpy(),
            )
            for atoms, energy, slope, found in zip(structures, energies.detach(), slopes, of_sites, strict=True)
        ]

    def _with_stress(self, structures: Sequence[Atoms], moments: bool) -> list[Evaluation]:
        graphs = self._graphs(structures)
        found = self.model.predict_graph(graphs, task="efsm" if moments else "efs", batch_size=len(graphs))
        predictions = found if isinstance(found, list) else [found]  # of one graph it is that alone
        return [
            Evaluation(
                energy=float(prediction["e"]) * (len(atoms) if self.model.is_intensive else 1),
                forces=np.array(prediction["f"], dtype=float),
                moments=np.array(prediction["m"], dtype=float) if moments else None,
                # CHGNet's own unit is GPa.
                stress=full_3x3_to_voigt_6_stress(prediction["s"]) * units.GPa,
            )
            for atoms, prediction in zip(structures, predictions, strict=True)
        ]
