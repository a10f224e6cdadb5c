"""The embedded engine: bands, checkpoints, models and what they are asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator
from ase.mep import NEB
from ase.optimize import FIRE
from conftest import gold_on_aluminium, ordered_slab
from jobflow import run_locally
from pymatgen.io.ase import AseAtomsAdaptor

from barriers.analysis.forces import largest_force
from barriers.documents import SCHEMA_VERSION, CostDoc, RelaxDoc
from barriers.engines.band import NebSettings
from barriers.engines.checkpoint import Checkpoint
from barriers.engines.common import at_positions
from barriers.engines.merging import AGREE, KnownBand
from barriers.engines.mlip import MlipEngine
from barriers.engines.mlip.band import MOST_FORETOLD, BandRun
from barriers.engines.mlip.fire import evaluate_moved
from barriers.engines.mlip.foretold import FAR, LONGEST, Points, foretell, is_evaluated
from barriers.engines.mlip.models import ModelSpec, check_model, known_models
from barriers.engines.mlip.pool import Evaluator
from barriers.engines.mlip.relax import relax
from barriers.files.structures import to_structure
from barriers.structures.path.interpolate import interpolate
from barriers.structures.path.start import Start
from barriers.structures.surface.slab import frozen_atoms

EMT_SPEC = ModelSpec("emt")
SETTINGS = NebSettings(fmax=0.03, rough_fmax=0.3, max_steps=300, spring=1.0)


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def first_band(n_images: int = 3) -> list[Atoms]:
    ends = []
    for atoms in gold_on_aluminium():
        result = relax(atoms, Evaluator(EMT_SPEC, None), 0.01, 300, Checkpoint("relax", atoms.positions.tolist()))
        result.atoms.calc = SinglePointCalculator(result.atoms, energy=result.energy, forces=result.forces)
        ends.append(result.atoms)
    return [ends[0], *interpolate(*ends, n_images, "idpp")[1:-1], ends[1]]


def saddle(images: list[Atoms]) -> float:
    energies = [image.get_potential_energy() for image in images]
    return max(energies) - energies[0]


def test_same_barrier_as_plain_ase_with_fewer_evaluations() -> None:
    evaluator = Evaluator(EMT_SPEC, None)
    run = BandRun(first_band(), evaluator, SETTINGS, Checkpoint("neb", "a"))
    assert run.converge()
    images = first_band()
    for image in images:
        image.calc = EMT()
    optimizer = FIRE(NEB(images, climb=True, method="improvedtangent", k=1.0), logfile=None)
    optimizer.run(fmax=0.03, steps=500)
    assert saddle(run.images) == pytest.approx(saddle(images), abs=1e-3)
    assert run.force_calls == evaluator.force_calls < 3 * optimizer.nsteps / 2


def test_band_climbs_only_after_the_plain_band_is_rough() -> None:
    run = BandRun(first_band(), Evaluator(EMT_SPEC, None), SETTINGS, Checkpoint("neb", "b"))
    run.converge()
    stages = [item.stage for item in run.history]
    assert stages == sorted(stages, reverse=True)
    assert {"plain", "climbing"} == set(stages)
    assert run.history[stages.index("climbing") - 1].max_force <= SETTINGS.rough_fmax
    assert run.history[-1].max_force <= SETTINGS.fmax


def test_frozen_atoms_stay_to_the_bit_and_forces_are_projected() -> None:
    images = first_band()
    frozen = images[0].constraints[0].index
    run = BandRun(images, Evaluator(EMT_SPEC, None), SETTINGS, Checkpoint("neb", "c"))
    run.converge()
    for image in run.images:
        assert (image.positions[frozen] == images[0].positions[frozen]).all()
    raw = run.images[2].get_forces(apply_constraint=False)
    assert np.abs(raw[frozen]).max() > SETTINGS.fmax
    assert largest_force(run.images[2].get_forces()) < 0.1


@pytest.mark.parametrize("steps", [2, SETTINGS.max_steps])
def test_no_number_of_a_band_is_foretold(steps: int) -> None:
    """Converged or stopped on the way, each image has the model's own energy and forces."""
    settings = NebSettings(**{**vars(SETTINGS), "max_steps": steps})
    run = BandRun(first_band(), Evaluator(EMT_SPEC, None), settings, Checkpoint("neb", steps))
    assert run.converge() == (steps > 2)
    for image in run.images:
        itself = image.copy()
        itself.calc = EMT()
        assert image.get_potential_energy() == pytest.approx(itself.get_potential_energy(), abs=1e-9)
        assert image.get_forces() == pytest.approx(itself.get_forces(), abs=1e-9)


def test_what_is_foretold_goes_through_the_points_and_leaves_held_images() -> None:
    images, evaluator = first_band(), Evaluator(EMT_SPEC, None)
    evaluate_moved(images, evaluator)
    points = Points(images[0])
    for image in [*images, *images]:
        points.add(image)
    assert len(points.energies) == len(images)
    process = points.process(images)
    for image in images:
        energy, forces = process(image.positions[points.free])
        assert energy == pytest.approx(image.get_potential_energy(), abs=2e-3)
        assert forces == pytest.approx(image.get_forces(apply_constraint=False)[points.free], abs=2e-2)
    foretold = foretell(images, points, climb=True, fmax=0.05, spring=1.0, held=[1])
    assert (foretold.images[1].positions == images[1].positions).all()
    assert [is_evaluated(image) for image in foretold.images] == [True, True, False, False, True]
    assert (foretold.deviations > 0).tolist() == [False, False, True, True, False]
    frozen = images[0].constraints[0].index
    moved = np.array(
        [image.positions - before.positions for image, before in zip(foretold.images, images, strict=True)]
    )
    assert not moved[:, frozen].any() and np.linalg.norm(moved, axis=(1, 2)).max() < FAR + LONGEST


@pytest.mark.parametrize("foretold", [MOST_FORETOLD, 2])  # 2: then step by step
def test_an_interrupted_band_goes_on_as_if_it_had_not_stopped(monkeypatch: pytest.MonkeyPatch, foretold: int) -> None:
    monkeypatch.setattr("barriers.engines.mlip.band.MOST_FORETOLD", foretold)
    whole = BandRun(first_band(), Evaluator(EMT_SPEC, None), SETTINGS, Checkpoint("neb", "whole"))
    whole.converge()
    pieces, runs = False, 0
    while not pieces:
        short = NebSettings(**{**vars(SETTINGS), "max_steps": 2})
        run = BandRun(first_band(), Evaluator(EMT_SPEC, None), short, Checkpoint("neb", "pieces"))
        pieces, runs = run.converge(), runs + 1
    assert runs >= 3
    assert run.force_calls == whole.force_calls
    assert [item.max_force for item in run.history] == pytest.approx([item.max_force for item in whole.history])
    assert saddle(run.images) == pytest.approx(saddle(whole.images), abs=1e-9)
    assert saddle(run.images) == pytest.approx(0.3744, abs=1e-3)  # with either optimizer, converged to 0.003 eV/Å
    assert (run.force_calls > 40) == (foretold == 2)


def test_a_band_that_falls_onto_a_known_path_stops() -> None:
    first = BandRun(first_band(), Evaluator(EMT_SPEC, None), SETTINGS, Checkpoint("neb", "first"))
    first.converge()
    known = KnownBand(np.array([image.positions for image in first.images]), saddle(first.images))
    again = BandRun(first_band(), Evaluator(EMT_SPEC, None), SETTINGS, Checkpoint("neb", "again"), {"first": known})
    assert not again.converge()
    assert again.merged_into == "first"
    assert again.force_calls < first.force_calls
    assert abs(saddle(again.images) - known.height) + again.saddle_left < AGREE


@pytest.mark.parametrize("away", ["elsewhere", "lower", "higher"])
def test_a_band_that_says_something_else_than_a_known_one_is_converged(away: str) -> None:
    first = BandRun(first_band(), Evaluator(EMT_SPEC, None), SETTINGS, Checkpoint("neb", "first"))
    first.converge()
    positions, height = np.array([image.positions for image in first.images]), saddle(first.images)
    if away == "elsewhere":
        positions[2, -1] += [0.0, 1.0, 0.0]
    known = KnownBand(positions, height + {"elsewhere": 0.0, "lower": -0.01, "higher": 0.01}[away])
    other = BandRun(first_band(), Evaluator(EMT_SPEC, None), SETTINGS, Checkpoint("neb", away), {"x": known})
    assert other.converge()
    assert other.merged_into is None
    assert saddle(other.images) == pytest.approx(height, abs=1e-9)


def test_a_checkpoint_of_other_input_is_not_taken_up() -> None:
    Checkpoint("neb", {"fmax": 0.1}).save({"steps": 3}, {})
    assert Checkpoint("neb", {"fmax": 0.2}).load() is None
    assert Checkpoint("neb", {"fmax": 0.1}).load()["steps"] == 3


def test_jobs_run_in_plain_jobflow() -> None:
    initial, final = map(to_structure, gold_on_aluminium())
    from barriers import BarrierMaker

    flow = BarrierMaker(engine=MlipEngine(model="emt")).make(initial, final)
    responses = run_locally(flow, ensure_success=True, log=False)
    document = responses[flow.output.uuid][1].output
    assert document.forward == pytest.approx(0.375, abs=0.002)
    assert document.band.engine.name == "emt"
    assert document.checks["band converged"]
    assert document.schema_version == SCHEMA_VERSION
    static = MlipEngine(model="emt").static().make(initial)
    energy = run_locally(static, log=False)[static.uuid][1].output.energy
    assert energy > document.band.energies[0]


@pytest.mark.parametrize("name", ["magmom", "charge"])
def test_moments_and_charges_that_are_none_are_no_others(name: str) -> None:
    from barriers import BarrierMaker

    ends = list(map(to_structure, gold_on_aluminium()))
    for structure in ends:
        structure.add_site_property(name, [0.6, *[None] * (len(structure) - 1)])
    flow = BarrierMaker(engine=MlipEngine(model="emt")).make(*ends)
    document = run_locally(flow, ensure_success=True, log=False)[flow.output.uuid][1].output
    assert document.forward == pytest.approx(0.375, abs=0.002)


def test_a_band_takes_the_final_atoms_in_the_images_nearest_to_the_initial_ones() -> None:
    """Given across the cell edge, so that no atom goes the long way; frozen atoms stay to the bit."""
    engine = MlipEngine(model="emt")
    initial = to_structure(gold_on_aluminium()[0])
    moved = initial.cart_coords + 1e-7
    across = at_positions(initial, moved + initial.lattice.matrix[0])
    forces, about = [[0.0] * 3] * len(initial), engine.static().describe()
    numbers = {"energy": 0.0, "forces": forces, "cost": CostDoc(), "engine": about}
    ends = [
        RelaxDoc(structure=end, converged=False, reason="loose", max_force=1, fmax=0.03, steps=1, **numbers)
        for end in (initial, across)
    ]
    job = engine.neb(0.05, 0.3, 100, 1.0).make(*ends, Start(n_images=3))
    first, last = map(np.array, run_locally(job, log=False)[job.uuid][1].output.positions)
    assert np.abs(last - moved).max() < 2e-7
    frozen = frozen_atoms(initial)
    assert frozen and (last[frozen] == first[frozen]).all()


def test_a_band_between_unrelaxed_ends_gives_no_barrier() -> None:
    from barriers import BarrierMaker
    from barriers.study.models import RelaxSection

    initial, final = map(to_structure, gold_on_aluminium())
    maker = BarrierMaker(engine=MlipEngine(model="emt"), relax=RelaxSection(fmax=0.001, max_steps=2))
    flow = maker.make(initial, final)
    document = run_locally(flow, log=False)[flow.output.uuid][1].output
    assert (document.converged, document.forward, document.band.cost.force_calls) == (False, None, 0)
    assert "initial endpoint not relaxed" in document.reason


@pytest.mark.parametrize(
    ("spec", "word"),
    [
        (ModelSpec("chgnot"), "did you mean 'chgnet'?"),
        (ModelSpec("ase.calculators.emt:EMTT"), "cannot be imported"),
        (ModelSpec("no_such_package.here:Model"), "no_such_package"),
        (ModelSpec("emt", weights="/no/such/file.pt"), "/no/such/file.pt"),
    ],
)
def test_a_model_that_cannot_run_is_named_with_its_mend(spec: ModelSpec, word: str) -> None:
    with pytest.raises(ValueError, match=r"^[^\n]+$") as caught:
        check_model(spec)
    assert word in str(caught.value)


def test_models_without_weights_in_a_wheel_ask_before_they_download(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("barriers.engines.mlip.models.find_spec", lambda name: name)
    with pytest.raises(ValueError, match=r"engine\.weights"):
        check_model(ModelSpec("mattersim-1m"))
    check_model(ModelSpec("mattersim-1m", allow_download=True))
    assert {model["weights"] for model in known_models().values()} == {"wheel", "file", "none"}


def small_slab() -> Atoms:
    slab = ordered_slab("LiNiO2", layers=3, frozen=1, lengths=(2.5, 5.0))
    return AseAtomsAdaptor.get_atoms(slab, msonable=False)


@pytest.mark.mlip
def test_workers_give_the_numbers_of_the_models_own_calculator() -> None:
    from chgnet.model.dynamics import CHGNetCalculator

    slabs = [small_slab() for _ in range(3)]
    for seed, slab in enumerate(slabs):
        slab.rattle(0.03, seed=seed)
    ours = Evaluator(ModelSpec(), workers=2).evaluate(slabs, moments=True)
    for slab, result in zip(slabs, ours, strict=True):
        slab.calc = CHGNetCalculator(use_device="cpu")
        assert result.energy == pytest.approx(slab.get_potential_energy(), abs=1e-4)
        assert result.forces == pytest.approx(slab.get_forces(apply_constraint=False), abs=1e-4)
        assert result.moments == pytest.approx(slab.get_magnetic_moments(), abs=1e-4)
        assert len(set(np.round(result.moments, 3))) > 3


def edges_and_angles(graph: Any) -> tuple[set[Any], set[Any]]:
    """A graph of CHGNet without the order of its rows, once its indices are found to hang together."""
    first, pairs, angles = (
        getattr(graph, name).numpy() for name in ("undirected2directed", "directed2undirected", "bond_graph")
    )
    edges = [tuple(row) for row in np.column_stack([graph.atom_graph.numpy(), graph.neighbor_image.numpy()])]
    assert (pairs[first] == np.arange(len(edges) // 2)).all()
    there = {pair: edges[row] for pair, row in enumerate(first)}
    for row, pair in enumerate(pairs):
        (one, two, *image), other = edges[row], there[pair]
        assert other in (edges[row], (two, one, *(-shift for shift in image)))
    assert (pairs[angles[:, [2, 4]]] == angles[:, [1, 3]]).all() if len(angles) else True
    return set(edges), {(atom, edges[one], edges[two]) for atom, _, one, _, two in angles}


@pytest.mark.mlip
def test_the_graph_is_that_of_chgnets_own_converter() -> None:
    from chgnet.graph import CrystalGraphConverter

    from barriers.engines.mlip.chgnet_graph import graph_of

    slab, primitive = small_slab(), bulk("LiF", "rocksalt", 4.03)  # in that an atom is its own neighbour
    slab.rattle(0.03, seed=0)
    far = slab.copy()
    far.positions[3] += 2 * far.cell[0] - far.cell[1]  # written in another cell
    sparse = bulk("Xe", "sc", 5.5)  # without an angle
    for atoms in (slab, far, primitive, sparse):
        own = CrystalGraphConverter(atom_graph_cutoff=6, bond_graph_cutoff=3)(AseAtomsAdaptor.get_structure(atoms))
        graph = graph_of(atoms, 6, 3)
        assert edges_and_angles(graph) == edges_and_angles(own)
        assert graph.atom_frac_coord.detach().numpy() == pytest.approx(own.atom_frac_coord.detach().numpy(), abs=1e-6)
        assert len(graph.bond_graph) == len(own.bond_graph)
    with pytest.raises(ValueError, match="1 atoms have no neighbour within 6"):
        graph_of(bulk("Xe", "sc", 7.0), 6, 3)


@pytest.mark.mlip
def test_a_batch_gives_what_single_calls_give() -> None:
    """On a GPU the images of a band go through the model as one batch; the same code runs here."""
    from barriers.engines.mlip.chgnet import ChgnetModel

    model = ChgnetModel("0.3.0", None, "cpu")
    slabs = [small_slab() for _ in range(3)]
    for seed, slab in enumerate(slabs):
        slab.rattle(0.03, seed=seed)
    single = model.evaluate(slabs, moments=False)
    model.batches = True
    for one, other in zip(single, model.evaluate(slabs, moments=False), strict=True):
        assert one.energy == pytest.approx(other.energy, abs=1e-3)
        assert one.forces == pytest.approx(other.forces, abs=1e-3)
        assert one.moments is None
