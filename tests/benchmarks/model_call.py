"""What a call of CHGNet costs in a worker, over its own ASE calculator: ``python tests/benchmarks/model_call.py``.

The slab of the main job with four layers (96 atoms), displaced a little anew for each of nine pairs, one thread each.
It prints the medians, their ratio pair by pair, and the largest differences in energy and forces.
"""

from __future__ import annotations

from statistics import median
from time import perf_counter

import numpy as np
import torch
from chgnet.model.dynamics import CHGNetCalculator

from barriers.engines.common import atoms_of
from barriers.engines.mlip.models import ModelSpec
from barriers.engines.mlip.pool import Evaluator
from barriers.study.models import CathodeSection, SurfaceSection
from barriers.workflow.slab_and_hops import build_slab, crystal_of

PAIRS = 9

if __name__ == "__main__":
    torch.set_num_threads(1)
    cathode = CathodeSection()
    slab = atoms_of(build_slab(crystal_of(cathode), cathode, SurfaceSection(layers=4, frozen_layers=1)).structure)
    slab.set_constraint()
    ours, theirs = Evaluator(ModelSpec(), workers=1), CHGNetCalculator(use_device="cpu", on_isolated_atoms="error")
    seconds, apart = [], []
    for seed in range(PAIRS + 1):
        slab.rattle(0.03, seed=seed)
        start = perf_counter()
        (result,) = ours.evaluate([slab])
        between = perf_counter()
        slab.calc = theirs
        energy, forces = slab.get_potential_energy(), slab.get_forces()
        seconds.append((between - start, perf_counter() - between))
        apart.append((abs(result.energy - energy), np.abs(result.forces - forces).max()))
    own, peer = zip(*seconds[1:], strict=True)  # the first pair loads and warms up
    ratio = median(one / two for one, two in seconds[1:])
    print(
        f"{len(slab)} atoms: {median(own):.3f} s in a worker, {median(peer):.3f} s CHGNetCalculator, ratio {ratio:.2f}"
    )
    print(f"at most {max(one for one, _ in apart):.1e} eV and {max(two for _, two in apart):.1e} eV/Å apart")
