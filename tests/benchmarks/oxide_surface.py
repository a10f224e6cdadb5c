"""A hop of lithium below the (104) surface of LiCoO2 with Quantum ESPRESSO, from CHGNet's path and a few points.

Run it with ``python tests/benchmarks/oxide_surface.py [FOLDER] [--command "mpirun -np 2 neb.x -nk 2"]``; it needs
``pw.x``, Debian's package quantum-espresso-data-sssp and the extra ``mlip``. It may be stopped at any time: a second
run goes on from the last single point. When it is done it draws the profile and writes barrier, error bar, what was
spent, and CHGNet's own barrier for the same hop to ``docs/data/licoo2_104.json``.

The slab has 23 atoms in three layers, the lowest one held, and an image every 5.6 Å. Cobalt is low-spin, so spin is
left out; there is no U and no dispersion. Points are computed at Γ; ends and saddle once more on a mesh of 2 × 2 × 1,
where they are. It is a first oxide surface of this size, and no reference barrier.
"""

from __future__ import annotations

import argparse
import json
import resource
from pathlib import Path
from typing import Any

import numpy as np
from espresso_handover import finished
from jobflow import Flow
from pymatgen.core import Structure

from barriers import (
    BarrierMaker,
    EspressoEngine,
    MlipEngine,
    SurrogateEngine,
    bulk,
    cut_slab,
    draw_profile,
    known_cathodes,
    order_metals,
    save_figure,
)
from barriers.documents import BarrierDoc
from barriers.engines.protocol import Engine

FINER = 0.6
"""Distance of k-points (1/Å) that gives 2 × 2 × 1."""

KEPT = Path(__file__).resolve().parents[2] / "docs/data/licoo2_104.json"
SETTINGS: dict[str, Any] = {
    "preset": "insulator",
    "pseudopotentials": "sssp-1.3-efficiency",
    "dipole": True,
    "kspacing": 1.2,  # Γ
    "keywords": {
        "occupations": "smearing",  # a neutral vacancy leaves a hole
        "smearing": "cold",
        "degauss": 0.01,
        "mixing_mode": "local-TF",
        "mixing_beta": 0.3,
        "mixing_ndim": 20,
        "conv_thr": 1e-6,
    },
}


def ends() -> tuple[Structure, Structure]:
    """Cut the slab, and let a vacancy in its middle layer change places with the lithium beside it."""
    cathode = known_cathodes()["LiCoO2"]
    slab = order_metals(cut_slab(bulk(cathode), (1, 0, 4), 3, (5.0, 4.5), 10.0, 1).slab, cathode.metals, 0)
    vacancy, beside = (i for i, site in enumerate(slab) if site.properties["layer"] == 1 and site.specie.symbol == "Li")
    step = slab[vacancy].frac_coords - slab[beside].frac_coords
    initial = slab.remove_site_property("layer")
    initial.remove_sites([vacancy])
    final = initial.copy()
    final.translate_sites([beside - 1], step, to_unit_cell=False)
    return initial, final


def barrier(engine: Engine, folder: Path, fmax: float) -> BarrierDoc:
    """Find the barrier with an engine."""
    maker = BarrierMaker("LiCoO2 (104)", engine=engine, n_images=5, fmax=fmax)
    found: BarrierDoc = finished(maker.make(*ends()), folder)
    return found


def on_mesh(found: BarrierDoc, engine: EspressoEngine, folder: Path) -> dict[str, float]:
    """Give both barriers (eV) between the same structures with another engine, by single points."""
    energies = [energy for energy in found.band.energies if energy is not None]
    at = {"initial": 0, "saddle": int(np.argmax(energies)), "final": -1}
    jobs = []
    for name, image in at.items():
        structure = found.band.structure.copy()
        for site, position in zip(structure, found.band.positions[image], strict=True):
            site.coords = np.array(position)
        maker = engine.static()
        maker.name = f"{name} on a finer mesh"
        jobs.append(maker.make(structure))
    initial, saddle, final = (point.energy for point in finished(Flow(jobs, [job.output for job in jobs]), folder))
    return {"forward": saddle - initial, "reverse": saddle - final}


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", nargs="?", default="results/oxide_surface", type=Path)
    parser.add_argument("--command", default="neb.x", help="command line that starts neb.x")
    asked = parser.parse_args()
    model = MlipEngine(model="chgnet")
    code = EspressoEngine(command=asked.command, **SETTINGS)
    code.check(["Li", "Co", "O"], 5)
    of_model = barrier(model, asked.folder / "chgnet", 0.03)
    found = barrier(SurrogateEngine(code, model, points=40), asked.folder / "corrected", 0.05)
    row = {
        "atoms": len(ends()[0]),
        "converged": found.converged,
        "reason": found.reason,
        "forward": found.forward,
        "reverse": found.reverse,
        "uncertainty": found.uncertainty,
        "parts": found.uncertainty_parts,
        "raw": found.raw,
        "points": found.points,
        "of_model": of_model.forward,
        "engine": found.band.engine.model_dump(mode="json"),
        "scf_cycles": found.cost.scf_cycles,
        "hours": found.cost.wall_time / 3600,
        "peak_memory_of_a_process_MB": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
    }
    KEPT.write_text(json.dumps(row, indent=1) + "\n", "utf-8")
    save_figure(draw_profile(found), asked.folder / "profile")
    fine = EspressoEngine(command=asked.command, **SETTINGS | {"kspacing": FINER})
    row["on_2x2x1"] = on_mesh(found, fine, asked.folder / "finer")
    KEPT.write_text(json.dumps(row, indent=1) + "\n", "utf-8")
    print(json.dumps(row, indent=1))
