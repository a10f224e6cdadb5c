"""Profiles and barriers as other programs read them."""

from __future__ import annotations

import csv
import importlib.util
import io
import json
import os
from pathlib import Path

import numpy as np
import pytest
from ase.io import read
from conftest import gold_on_aluminium
from jobflow import Flow
from monty.json import MontyDecoder, MontyEncoder

from barriers import BarrierMaker, MlipEngine, run
from barriers.analysis.profile import Profile
from barriers.documents import BarrierDoc
from barriers.files.exports import neb_result, profile_csv, profile_json
from barriers.files.structures import to_structure
from barriers.report import exports as texts
from barriers.report.exports import band_extxyz, cif, poscar, states
from barriers.structures.hop.hop import Hop


@pytest.fixture(scope="module")
def gold(tmp_path_factory: pytest.TempPathFactory) -> BarrierDoc:
    maker = BarrierMaker(name="Au", engine=MlipEngine(model="emt"))
    ends = [maker.relax_endpoint(to_structure(atoms), "end") for atoms in gold_on_aluminium()]
    hop = Hop(name="hollow to hollow", moving=12, distance=2.86)
    barrier = maker.between(ends[0].output, ends[1].output, hop=hop)
    document = run(Flow([*ends, barrier], output=barrier.output), tmp_path_factory.mktemp("gold")).output
    assert isinstance(document, BarrierDoc)
    return document


@pytest.fixture
def emmet() -> None:
    if not importlib.util.find_spec("emmet"):
        assert not os.environ.get("CI"), "CI tests emmet's documents: install the extra 'test'"
        pytest.skip("needs the extra 'emmet'")


def test_the_result_says_how_far_the_ion_goes_and_how_far_everything_else(gold: BarrierDoc) -> None:
    assert gold.motion["ion_jump"] == pytest.approx(2.86, abs=0.01)
    assert gold.motion["ion_path"] > gold.motion["ion_jump"]  # over the bridge, not through it
    assert gold.motion["farthest_atom"] in {8, 9, 10, 11}  # the layer below, the rest is frozen
    assert 0.01 < gold.motion["others_farthest"] < 0.5
    assert 0 < gold.motion["others_share"] < 0.1
    assert gold.checks["ion jumps from site to site"]


def test_csv_has_every_number_of_the_profile(gold: BarrierDoc) -> None:
    profile = Profile(**gold.profile)
    rows = list(csv.DictReader(profile_csv(profile).splitlines()))
    images = [row for row in rows if row["kind"] == "image"]
    assert [float(row["energy"]) for row in images] == profile.energies
    assert [float(row["slope"]) for row in images] == profile.slopes
    assert [float(row["distance"]) for row in rows if row["kind"] == "curve"] == profile.curve_distance
    (saddle,) = (row for row in rows if row["kind"] == "saddle")
    assert (float(saddle["distance"]), float(saddle["energy"])) == (profile.saddle_distance, profile.forward)


def test_json_is_the_profile_with_its_units(gold: BarrierDoc) -> None:
    read = json.loads(profile_json(Profile(**gold.profile)))
    assert read.pop("units")["curvature"] == "eV/Å²"
    assert Profile(**read) == Profile(**gold.profile)


def test_states_and_band_are_read_back_as_they_are(gold: BarrierDoc) -> None:
    assert texts.profile_csv(gold) == profile_csv(Profile(**gold.profile))
    band = read(io.StringIO(band_extxyz(gold)), index=":", format="extxyz")
    assert [image.get_potential_energy() for image in band] == pytest.approx(gold.band.energies, abs=1e-6)
    given = states(gold)
    assert list(given) == ["initial", "saddle", "final"]
    top = int(np.argmax(gold.band.energies))
    for structure, image in zip(given.values(), (0, top, -1), strict=True):
        for text, format in ((poscar(structure, "Au on\nAl"), "vasp"), (cif(structure), "cif")):
            atoms = read(io.StringIO(text), format=format)
            off = structure.lattice.get_fractional_coords(gold.band.positions[image]) - atoms.get_scaled_positions()
            assert np.abs(off - np.rint(off)).max() < 1e-7
            assert atoms.get_chemical_symbols() == band[0].get_chemical_symbols()
    assert poscar(given["initial"], "Au on\nAl").splitlines()[0] == "Au on Al"
    assert len(read(io.StringIO(poscar(given["saddle"])), format="vasp").constraints[0].index) == 8


def test_what_is_not_there_is_not_exported(gold: BarrierDoc) -> None:
    never = gold.band.model_copy(update={"energies": [None] * len(gold.band.energies)})
    loose = gold.model_copy(update={"converged": False, "profile": None, "reason": "never started", "band": never})
    assert list(states(loose)) == ["initial", "final"]
    with pytest.raises(ValueError, match="no profile, never started"):
        texts.profile_csv(loose)


@pytest.mark.usefixtures("emmet")
def test_emmet_gets_the_barriers_of_this_package(gold: BarrierDoc) -> None:
    from emmet.core.neb import NebResult

    result = neb_result(gold)
    assert result.forward_barrier == pytest.approx(0.374, abs=2e-3)
    assert (result.forward_barrier, result.reverse_barrier) == (gold.forward, gold.reverse)
    assert result.identifier == "Au hollow to hollow"
    assert result.num_images == len(gold.band.positions)
    assert result.energies == gold.band.energies
    assert result.state.value == "successful"
    analysis = result.barrier_analysis
    assert analysis.ts_energy - analysis.energies[0] == pytest.approx(gold.forward)
    assert analysis.frame_index[0] == 0
    assert analysis.frame_index[-1] == 1
    stored = json.dumps(result.model_dump(), cls=MontyEncoder)
    again = NebResult.model_validate(json.loads(stored, cls=MontyDecoder))
    assert (again.forward_barrier, again.reverse_barrier) == (gold.forward, gold.reverse)
    assert again.images[0] == gold.band.structure


@pytest.mark.usefixtures("emmet")
def test_emmet_gets_no_barrier_from_a_band_that_has_none(gold: BarrierDoc, tmp_path: Path) -> None:
    loose = gold.model_copy(update={"converged": False, "reason": "0.9 eV/Å after 3 iterations", "profile": None})
    result = neb_result(loose)
    assert result.forward_barrier is None
    assert result.barrier_analysis is None
    assert result.state.value == "failed"
    assert result.tags == ["0.9 eV/Å after 3 iterations"]
