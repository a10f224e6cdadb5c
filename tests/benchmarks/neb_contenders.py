"""What ``neb_peers.py`` lets run against each other, each in a process of its own.

A contender writes ``NAME.json`` with its barrier, its largest force, and what it spent: every CHGNet evaluation that it
made or had made is counted and timed.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from neb_watch import SPENT, watch_evaluator, watch_model

if TYPE_CHECKING:
    from ase import Atoms
    from ase.mep import NEB
    from pymatgen.core import Structure

    from barriers.documents import RelaxDoc
    from barriers.structures.hop.hop import Hop
    from barriers.workflow.barrier import BarrierMaker

SMALL = (8.0, 5.0)
"""Least surface vectors (Å) of the slab for a trial: half the atoms, too narrow for a hop worth reporting."""


@dataclass
class Outcome:
    """A contender's answer (eV, eV/Å) and cost (s)."""

    barrier: float
    max_force: float
    converged: bool
    force_calls: int
    wall_time: float
    seconds: dict[str, float]


def maker_of(folder: Path) -> BarrierMaker:
    """Build the product's maker, defaults throughout, for the task in a folder."""
    from barriers import BarrierMaker, MlipEngine
    from barriers.study.models import PathSection

    images = json.loads((folder / "task.json").read_text())["images"]
    return BarrierMaker(engine=MlipEngine(device="cpu"), path=PathSection(n_images=images))


def prepare(folder: Path) -> None:
    """Build the hop, relax its endpoints with the product and interpolate the first band that all start from."""
    from ase.calculators.singlepoint import SinglePointCalculator
    from ase.io import write
    from jobflow import Flow
    from pymatgen.io.ase import AseAtomsAdaptor

    from barriers import run
    from barriers.structures.hop.hop import final_in_initial_order, make_endpoint
    from barriers.structures.path.interpolate import interpolate
    from barriers.study.models import CathodeSection, HopSection, SurfaceSection
    from barriers.workflow.slab_and_hops import build_slab, crystal_of, hops_of

    small = json.loads((folder / "task.json").read_text())["size"] == "small"
    cathode, surface = CathodeSection(), SurfaceSection(min_lengths=SMALL) if small else SurfaceSection()
    slab = build_slab(crystal_of(cathode), cathode, surface).structure
    hop = nearest_pair(slab) if small else hops_of(slab, [HopSection()])[0]
    ends = [make_endpoint(slab, hop.initial), final_in_initial_order(make_endpoint(slab, hop.final), hop)]
    maker = maker_of(folder)
    relaxed: list[RelaxDoc] = []
    for which, structure in zip(("initial", "final"), ends, strict=True):
        structure.to(str(folder / f"{which}.json"))
        job = maker.relax_endpoint(structure, which)
        outcome = run(Flow([job], output=job.output), folder / "barriers")
        if outcome.output is None or not outcome.output.converged:
            raise RuntimeError(f"{which} endpoint not relaxed: {outcome.failures or outcome.output.reason}")
        relaxed.append(outcome.output)
    initial, final = (AseAtomsAdaptor.get_atoms(document.structure, msonable=False) for document in relaxed)
    images = interpolate(initial, final, maker.settings.path.n_images, "idpp")
    for image, document in zip((images[0], images[-1]), relaxed, strict=True):
        image.calc = SinglePointCalculator(image, energy=document.energy, forces=np.array(document.forces))
    write(folder / "band.traj", images)


def nearest_pair(slab: Structure) -> Hop:
    """Choose the shortest jump of the sub-surface layer, the cell's width not asked for."""
    from barriers.structures.hop.hop import Hop
    from barriers.structures.surface.slab import LAYER

    layers = slab.site_properties[LAYER]
    sites = [site for site in slab.indices_from_symbol("Li") if layers[site] == max(layers) - 1]
    moving, target = min(combinations(sites, 2), key=lambda pair: round(slab.get_distance(*pair), 3))
    distance, image = slab[moving].distance_and_image(slab[target])
    return Hop(name="trial", moving=moving, target=target, image=tuple(map(int, image)), distance=distance)


def run_barriers(folder: Path) -> tuple[float, float, bool]:
    """Run the product: the endpoints are in its folder, so what is left is the band and its barrier."""
    from pymatgen.core import Structure

    from barriers import run

    watch_evaluator()
    ends = [Structure.from_file(folder / f"{which}.json") for which in ("initial", "final")]
    outcome = run(maker_of(folder).make(*ends), folder / "barriers")
    if outcome.output is None:
        raise RuntimeError(str(outcome.failures))
    band = outcome.output.band
    return max(band.energies) - band.energies[0], band.history[-1].max_force, band.converged


def run_atomate2(folder: Path) -> tuple[float, float, bool]:
    """Run atomate2's maker with its settings made equal: its own are ``climb=False``, ``k=0.1``, ``fmax=0.1``."""
    from atomate2.ase import utils
    from atomate2.forcefields.neb import ForceFieldNebFromImagesMaker
    from jobflow import JobStore, run_locally
    from maggma.stores import MemoryStore
    from pymatgen.io.ase import AseAtomsAdaptor

    watch_model()
    neb = maker_of(folder).settings.neb
    bands: list[NEB] = []
    plain = utils.NEB

    def remember(*args: Any, **kwargs: Any) -> NEB:
        bands.append(plain(*args, **kwargs))
        return bands[-1]

    utils.NEB = remember
    job = ForceFieldNebFromImagesMaker(
        force_field_name="CHGNet",
        calculator_kwargs={"use_device": "cpu"},
        neb_kwargs={"k": neb.spring, "climb": True, "method": "improvedtangent"},
        steps=neb.max_steps,
        relax_kwargs={"fmax": neb.fmax},
    ).make([AseAtomsAdaptor.get_structure(image.copy()) for image in _first_band(folder)])
    store = JobStore(MemoryStore(), additional_stores={"data": MemoryStore()})
    run_locally(job, store=store, log=False, create_folders=True, root_dir=folder / "atomate2", ensure_success=True)
    return _read_off(bands[-1], neb.fmax)


def run_ase(folder: Path) -> tuple[float, float, bool]:
    """Run ASE's NEB with FIRE as its tutorial does: climbing, one calculator per image, one model for all."""
    from ase.optimize import FIRE

    return _by_ase(folder, FIRE)


def run_neb_optimizer(folder: Path) -> tuple[float, float, bool]:
    """Run ASE's NEB with its NEBOptimizer, quacc's default for bands."""
    from ase.mep.neb import NEBOptimizer

    return _by_ase(folder, NEBOptimizer)


def _by_ase(folder: Path, optimizer: Any) -> tuple[float, float, bool]:
    from ase.mep import NEB

    settings, images = maker_of(folder).settings.neb, _with_calculators(folder)
    neb = NEB(images, k=settings.spring, climb=True, method="improvedtangent")
    optimizer(neb, logfile=None).run(fmax=settings.fmax, steps=settings.max_steps)
    return _read_off(neb, settings.fmax)


def run_nebwalk(folder: Path) -> tuple[float, float, bool]:
    """Run NEBwalk's own NEB, climbing from the first step: by default it climbs after 100, and may be over before."""
    from NEBwalk import NEB

    settings, images = maker_of(folder).settings.neb, _with_calculators(folder, ends=True)
    neb = NEB(images, k=settings.spring, climb=True, climb_delay=0)
    converged = neb.optimize(settings.fmax, settings.max_steps, verbose=False)
    energies = neb.get_energies()
    return max(energies) - energies[0], float(neb.history[-1]["fmax"]), converged


def _with_calculators(folder: Path, ends: bool = False) -> list[Atoms]:
    """First band with a calculator for each image, and for the ends too where theirs are to be asked again."""
    from chgnet.model.dynamics import CHGNetCalculator
    from chgnet.model.model import CHGNet

    watch_model()
    images = _first_band(folder)
    model = CHGNet.load(use_device="cpu", verbose=False)
    for image in images if ends else images[1:-1]:
        image.calc = CHGNetCalculator(model, use_device="cpu")
    return images


def _first_band(folder: Path) -> list[Atoms]:
    from ase.io import read

    return list(read(folder / "band.traj", ":"))


def _read_off(neb: NEB, fmax: float) -> tuple[float, float, bool]:
    max_force = float(np.linalg.norm(neb.get_forces(), axis=1).max())
    return float(max(neb.energies) - neb.energies[0]), max_force, max_force <= fmax


CONTENDERS = {
    "barriers": run_barriers,
    "atomate2": run_atomate2,
    "ASE": run_ase,
    "ASE, NEBOptimizer": run_neb_optimizer,
    "nebwalk": run_nebwalk,
}


def main(name: str, folder: Path, started: float) -> None:
    """Run one contender; its wall time counts from ``started`` (s since the epoch), before its interpreter began."""
    if name == "prepare":
        return prepare(folder)
    barrier, max_force, converged = CONTENDERS[name](folder)
    wall_time = time.time() - started
    seconds = {"start-up": SPENT["first"] - started}
    seconds |= {what: SPENT[what] for what in ("graph building", "model")}
    seconds["optimizer and other"] = wall_time - sum(seconds.values())
    outcome = Outcome(barrier, max_force, converged, int(SPENT["calls"]), wall_time, seconds)
    (folder / f"{name}.json").write_text(json.dumps(asdict(outcome)), "utf-8")
    return None


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), float(sys.argv[3]))
