"""One slab: the same bytes with every kernel of linear algebra, and from any writing of one crystal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT
from described import described
from monty.json import MontyDecoder
from pymatgen.core import Lattice, Structure
from scipy.spatial.transform import Rotation

from barriers import load_study, run
from barriers.structures.cathode.crystal import bulk, known_cathodes
from barriers.structures.hop.carried import check_carried
from barriers.structures.hop.hop import Hop, moving_index
from barriers.structures.hop.surroundings import metals_in, surroundings
from barriers.study.models import Study
from barriers.workflow.build_jobs import make_end
from barriers.workflow.slab_and_hops import build_slab, crystal_of, hops_of

KERNELS = ("Haswell", "Zen", "SkylakeX", "Nehalem", "Prescott")
STUDIES = [ROOT / "inputs" / name for name in ("ncm811_pvdf.yaml", "ncm622_variations.yaml")]


def under(kernel: str, *arguments: str | Path) -> str:
    """What ``described.py`` prints with a kernel of OpenBLAS; skipped by name where the processor lacks it."""
    settings = {"OPENBLAS_CORETYPE": kernel, "OPENBLAS_VERBOSE": "2", "OMP_NUM_THREADS": "1"}
    path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    command = [sys.executable, str(ROOT / "tests" / "described.py"), *map(str, arguments)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=os.environ | settings | {"PYTHONPATH": path}
    )
    if done.returncode == -signal.SIGILL:
        pytest.skip(f"{kernel}: this processor lacks its instructions")
    if "Core:" not in done.stdout + done.stderr:
        pytest.skip(f"{kernel}: NumPy has another library than OpenBLAS here")
    assert done.returncode == 0, done.stderr
    return next(line for line in done.stdout.splitlines() if line.startswith(("[", "{")))


@pytest.fixture(scope="module")
def here() -> list[dict[str, object]]:
    """What is built with the kernel of this process."""
    return json.loads(json.dumps([described(load_study(study)) for study in STUDIES]))


@pytest.mark.slow
@pytest.mark.parametrize("kernel", KERNELS)
def test_every_kernel_builds_the_same_bytes(kernel: str, here: list[dict[str, object]]) -> None:
    assert json.loads(under(kernel, *STUDIES)) == here


def written(structure: Structure, metals: dict[str, float], path: Path) -> str:
    structure.replace_species({"Ni": metals}, in_place=False).to(filename=str(path), fmt="cif")
    return str(path)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["NCM811", "NCM622"])
def test_one_crystal_in_any_cell_order_and_origin_gives_the_same_bytes(
    name: str, tmp_path: Path, here: list[dict[str, object]]
) -> None:
    plain, metals = bulk(known_cathodes()[name]), known_cathodes()[name].metals
    random = np.random.default_rng(3)
    shuffled = Structure.from_sites([plain[int(atom)] for atom in random.permutation(len(plain))])
    shuffled.translate_sites(range(len(shuffled)), random.random(3))
    # Another cell of the crystal: a CIF does not hold how the axes lie.
    rotated = plain * [[1, 1, 0], [0, 1, 0], [-1, 0, 2]]
    rotated = Structure(
        Lattice(rotated.lattice.matrix @ Rotation.random(rng=random).as_matrix()), rotated.species, rotated.frac_coords
    )
    which = ["NCM811", "NCM622"].index(name)
    study = load_study(STUDIES[which])
    for number, crystal in enumerate((plain, shuffled, rotated)):
        file = written(crystal, metals, tmp_path / f"{number}.cif")
        cathode = study.cathode.model_copy(update={"name": "NCM811", "file": file})
        assert json.loads(json.dumps(described(study.model_copy(update={"cathode": cathode})))) == here[which]


STUDY = """name: flat
cathode: {name: NCM622, ordering: ewald, antisites: 0.05, lithium: 0.85}
surface: {facet: [0, 0, 3], termination: Li, rattle: 0.02}
systems: [{name: bare}]
hops: [{layer: any}]
engine: {kind: mlip, model: "flat:Flat"}
path: {n_images: 3}
"""


def test_a_flow_that_was_built_with_another_kernel_moves_the_same_ion(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(STUDY, "utf-8")
    flow = MontyDecoder().process_decoded(json.loads(under("Prescott", "--flow", tmp_path / "study.yaml")))
    (barrier,) = run(flow, tmp_path / "run").output.barriers
    study = load_study(tmp_path / "study.yaml")
    assert isinstance(study, Study)
    slab = build_slab(crystal_of(study.cathode), study.cathode, study.surface).structure
    (hop,) = hops_of(slab, study.hops)
    assert barrier.hop == hop
    first, last = (np.array(barrier.band.positions[image]) for image in (0, -1))
    moved = np.linalg.norm(last - first, axis=1)
    ion = int(moved.argmax())
    assert (ion, moved[ion]) == (moving_index(hop, len(first)), pytest.approx(hop.distance, abs=0.1))
    around = surroundings(barrier.band.structure, barrier.band.structure.frac_coords[[ion]])[0].text
    assert metals_in(around) == metals_in(hop.environments[0])


def slab_and_hop(seed: int) -> tuple[Structure, Hop]:
    study = load_study(STUDIES[0])
    assert isinstance(study, Study)
    cathode = study.cathode.model_copy(update={"seed": seed})
    slab = build_slab(crystal_of(cathode), cathode, study.surface).structure
    return slab, hops_of(slab, study.hops)[0]


def test_a_hop_is_refused_on_another_slab_and_beside_other_metals() -> None:
    (slab, hop), (other, _) = slab_and_hop(0), slab_and_hop(1)
    check_carried(slab, slab, hop)

    class Relaxed:
        structure = other

    refusal = f"hop {hop.label}: found on the slab {hop.slab}, not on this one, Li18 Mn2 Co2 Ni14 O36 "
    with pytest.raises(ValueError, match=refusal) as refused:
        make_end.original(Relaxed(), hop.initial, other, [hop])
    assert "\n" not in str(refused.value)
    # The right slab, and a system that is made of the other one.
    with pytest.raises(ValueError, match=r"the metals around atom \d+ are Ni .*, the hop's are Ni 5 Co 1: another ion"):
        check_carried(slab, other, hop)
    moved = slab.copy().perturb(0.15, seed=2)
    check_carried(slab, moved, hop)
