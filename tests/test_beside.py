"""Energies and rates beside the barriers of a study: known values, what is not there, and where they are told."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from math import exp, pi
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import Outcome
from grooves import HEIGHT, ROWS, SIDE, STEP, hill
from held import FASTER, STICKS
from made_up_study import ENGINE, made_up_study
from monty.json import MontyEncoder
from pymatgen.core import Structure
from scipy.constants import physical_constants
from scipy.spatial.distance import pdist

from barriers import StudyMaker, run
from barriers.analysis.energetics import ReactionRow, lithium_held
from barriers.analysis.vibrations import frequencies
from barriers.dispatch.fireworks.collect import collect
from barriers.dispatch.fireworks.config import Cluster
from barriers.dispatch.fireworks.submit import submit
from barriers.documents import CostDoc, EngineDoc, StudyDoc
from barriers.report.folder import write_results
from barriers.report.html.page import write_report
from barriers.structures.intact import rearranged
from barriers.structures.polymer.fragment import build_fragment
from barriers.structures.polymer.reactions import in_box
from barriers.study.file import read_study
from barriers.workflow.adsorption import AdsorptionDoc, intact_ones, lift_off
from barriers.workflow.beside_documents import energetics_document
from barriers.workflow.labels import jobs_of
from barriers.workflow.plan import make_plan
from barriers.workflow.reaction_job import ReactionsDoc, SpeciesDoc, StartDoc

TEXT = """
name: held
cathode: {relax: false}
surface: {layers: 3, frozen_layers: 1}
systems:
  - name: NCM
  - name: NCM@PVDF
    fragment: {polymer: PVDF, units: 2}
hops: [{layer: any, mechanism: oxygen dumbbell}]
engine: {kind: mlip, model: "held:Held"}
path: {starts: 1}
"""
ASKED = "energetics: {adsorption: true}\nkinetics: {temperatures: [300, 600], directions: 6, dimensions: 2}\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("held")


@pytest.fixture(scope="module")
def study(folder: Path) -> StudyDoc:
    outcome = run(StudyMaker().make(read_study(TEXT + ASKED)), folder)
    assert not outcome.failures
    document: StudyDoc = outcome.output
    return document


@pytest.mark.slow
def test_energies_are_those_of_the_potential(study: StudyDoc) -> None:
    assert study.energetics is not None
    (adsorbed,) = study.energetics.adsorption
    interface = study.barriers[1].band.structure
    lithium = len(interface.indices_from_symbol("Li")) + 1  # the hop's vacancy is another one
    fragment = len(build_fragment("PVDF", 2).molecule)
    assert adsorbed.energy == pytest.approx(-FASTER * lithium - STICKS * fragment, abs=1e-5)
    assert adsorbed.lowest == pytest.approx(5.0, abs=0.01)
    assert (adsorbed.bonds, adsorbed.conformers) == ([], 0.0)
    assert [row.energy for row in study.energetics.lithium] == pytest.approx([-FASTER] * 2, abs=2e-3)
    assert len({row.state for row in study.energetics.lithium}) == 2


def test_an_ion_is_held_as_strongly_whether_it_is_taken_out_or_added() -> None:
    # Beside the fragment the ion is bound by 3 eV, on the bare slab by 2.5 eV.
    assert lithium_held(-97.0, -100.0, -47.5, -50.0, added=False) == pytest.approx(-0.5)
    assert lithium_held(-100.0, -97.0, -50.0, -47.5, added=True) == pytest.approx(-0.5)


@pytest.mark.slow
def test_the_attempt_frequency_is_that_of_the_hill(study: StudyDoc) -> None:
    # Of three waves that are whole in both states, the products of the modes are equal: what is left is the saddle's.
    waves = 2 * pi * np.array([[1 / STEP, 0, 0.5 / HEIGHT], [0, 1 / ROWS, -SIDE / ROWS / HEIGHT], [0, 0, 1 / HEIGHT]])
    curvatures = np.diag([-hill(3) / 2, 1.0, 0.5])
    downhill = -frequencies(waves.T @ curvatures @ waves, [6.94])[0] * 1e12
    assert study.kinetics is not None
    for row in study.kinetics.frequencies:
        assert row.reason is None
        assert row.attempt_frequency == pytest.approx(downhill, rel=0.02)
    assert {(row.system, row.hop) for row in study.kinetics.frequencies} == {
        (row.system, row.hop) for row in study.rows
    }


@pytest.mark.slow
def test_rates_are_made_with_the_frequency_that_was_computed(study: StudyDoc, folder: Path) -> None:
    assert study.kinetics is not None
    write_results(study, folder)
    with (folder / "rates.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["system"], float(row["temperature"])) for row in rows] == [
        (system, temperature) for system in ("NCM", "NCM@PVDF") for temperature in (300, 600)
    ]
    for row in rows:
        barrier = next(one for one in study.barriers if one.system == row["system"])
        tries = study.kinetics.attempt_frequency(barrier.system, barrier.hop_name)
        boltzmann = physical_constants["Boltzmann constant in eV/K"][0]
        assert barrier.forward is not None and tries is not None
        rate = tries * exp(-barrier.forward / boltzmann / float(row["temperature"]))
        assert float(row["rate"]) == pytest.approx(rate)
        assert float(row["diffusivity"]) == pytest.approx(6 * rate * (float(row["jump_length"]) * 1e-8) ** 2 / 4)


@pytest.mark.slow
def test_they_are_told_wherever_the_barriers_are(study: StudyDoc, folder: Path, cli: Callable[..., Outcome]) -> None:
    write_results(study, folder)
    shown, said = cli("show", folder).out, json.loads(cli("show", folder, "--json").out)
    assert study.energetics is not None and study.kinetics is not None
    energy = f"−{abs(study.energetics.adsorption[0].energy or 0):.2f}"
    page = write_report(study, folder).read_text()
    for told in (shown, page):
        assert energy in told and "−0.10" in told
        assert f"{study.kinetics.frequencies[0].attempt_frequency:.2e}" in told
    assert said["energetics"]["adsorption"][0]["system"] == "NCM@PVDF"
    assert said["kinetics"]["network"] == [6, 2]
    again = StudyDoc.model_validate(json.loads(json.dumps(study, cls=MontyEncoder)))
    assert (again.energetics, again.kinetics) == (study.energetics, study.kinetics)
    rows = json.loads(cli("rates", folder, "--json").out)["rows"]
    assert [row["temperature"] for row in rows] == [300, 600, 300, 600] and all(row["computed"] for row in rows)
    usual = json.loads(cli("rates", folder, "--json", "--attempt-frequency", "1e12", "--temperatures", "300").out)[
        "rows"
    ]
    assert {(row["attempt_frequency"], row["computed"]) for row in usual} == {(1e12, False)}


PUBLISHED = """
published:
  source: Somebody, 2025
  barriers: [{system: NCM@PVDF, barrier: 1.0}]
  differs: [another functional]
"""


@pytest.mark.slow
def test_published_values_stand_beside_those_of_the_study(
    study: StudyDoc, folder: Path, tmp_path: Path, cli: Callable[..., Outcome]
) -> None:
    document: StudyDoc = run(StudyMaker().make(read_study(TEXT + PUBLISHED)), folder).output
    assert document.published is not None and document.energetics is None
    (row,) = document.published.rows
    assert (row.system, row.published, row.here) == ("NCM@PVDF", 1.0, study.rows[1].barrier)
    write_results(document, tmp_path)
    assert {path.name for path in tmp_path.glob("*.csv")} == {"barriers.csv", "comparison.csv", "published.csv"}
    for told in (cli("show", tmp_path).out, write_report(document, tmp_path).read_text()):
        assert "Somebody, 2025" in told and "done otherwise there: another functional" in told
        assert f"−{1.0 - (row.here or 0):.2f}" in told


@pytest.mark.slow
def test_nothing_but_the_fragment_and_the_single_points_is_computed_for_them(folder: Path, study: StudyDoc) -> None:
    plain = run(StudyMaker().make(read_study(TEXT)), folder)
    assert plain.force_calls == 0
    assert plain.output.energetics is None and plain.output.kinetics is None


@pytest.mark.slow
def test_what_failed_is_named_and_the_barriers_are_there(folder: Path, study: StudyDoc) -> None:
    flow = StudyMaker().make(read_study(TEXT + ASKED).model_copy(update={"name": "failing"}))

    def fail(*_: object) -> None:
        raise RuntimeError("disk full")

    for name in ("NCM@PVDF: lift fragment off", "NCM held: displace the ion"):
        (job,) = (job for job in jobs_of(flow) if job.name == name.replace("held", study.rows[0].hop))
        job.function = fail
    document = run(flow, folder).output
    assert [row.barrier for row in document.rows] == [row.barrier for row in study.rows]
    assert document.energetics.adsorption[0].reason == "a calculation it needs failed"
    reasons = {row.system: row.reason for row in document.kinetics.frequencies}
    assert reasons == {"NCM": "a calculation it needs failed", "NCM@PVDF": None}


def test_members_of_an_ensemble_are_set_against_their_own_bare_slab() -> None:
    made_up = made_up_study()
    bare, _, bonded = made_up.barriers
    assert bare.hop is not None
    barriers, beside = [], {}
    for number, tag in enumerate(("o1", "o10")):
        hop = bare.hop.model_copy(update={"name": f"{tag}-jump"})
        for barrier, end in ((bare, -5.0), (bonded, -5.5 - number)):
            band = barrier.band.model_copy(update={"energies": [end, 0.0, end]})
            barriers.append(barrier.model_copy(update={"hop": hop, "band": band}))
        beside[f"{tag} {bonded.system}: adsorption"] = AdsorptionDoc(
            system=bonded.system,
            adsorption_energy=-1.0,
            energies={"interface": -9.0, "slab": -8.0, "fragment": 0.0},
            fragments=1,
            lowest=2.0,
            centre=3.0,
            gap=2.0,
            bonds=[],
            formed=[],
            broken=[],
            moments=[],
            cost=CostDoc(),
            engine=ENGINE,
        )
    found = energetics_document(beside, barriers[::-1])
    assert found is not None
    assert [row.system for row in found.adsorption] == [f"{tag} {bonded.system}" for tag in ("o1", "o10")]
    # (-9 + 5.5) - (-8 + 5) and (-9 + 6.5) - (-8 + 5)
    energies = {row.system.partition(" ")[0]: row.energy for row in found.lithium}
    assert energies == pytest.approx({"o1": -0.5, "o10": 0.5})
    assert len(found.lithium) == 4


REACTIONS = TEXT.replace('{kind: mlip, model: "held:Held"}', "MODEL") + "energetics: {adsorption: false, ASKED}\n"


def test_reactions_are_refused_for_a_model_of_crystals_and_told_of_pyscf() -> None:
    asked = "reactions: ['HF -> H + F', LiFSI]"
    with pytest.raises(ValueError, match=r"energetics: species 'HF' is a molecule, and model 'chgnet' was trained on"):
        StudyMaker().make(read_study(REACTIONS.replace("MODEL", "mlip").replace("ASKED", asked)))
    text = REACTIONS.replace("MODEL", "mlip").replace(
        "ASKED", asked + ", molecules: {functional: PBE, basis: def2-svp}"
    )
    relaxed = [job for job in jobs_of(StudyMaker().make(read_study(text))) if job.name.startswith("coating: ")]
    assert {job.maker.method.functional for job in relaxed if job.maker} == {"PBE"}
    species = {job.name.rpartition(" ")[2] for job in relaxed if job.maker}
    assert species == {"HF", "H", "F", "LiFSI", "Li+", "FSI-"}


def test_what_pyscf_does_not_know_is_named_before_anything_runs() -> None:
    by_pyscf = "reactions: [LiFSI], molecules: {functional: PBEE}"
    with pytest.raises(ValueError, match=r"^energetics\.molecules\.functional: 'PBEE' is not known; allowed: "):
        make_plan(read_study(f"{TEXT}energetics: {{{by_pyscf}}}\n"))


def test_reactions_stand_beside_the_barriers(tmp_path: Path, cli: Callable[..., Outcome]) -> None:
    document = ReactionsDoc(
        reactions=[
            ReactionRow(name="PVDF-HF", equation="PVDF → PVDF-HF + HF", energy=1.2345, spread=0.02),
            ReactionRow(name="x", equation="HF → H + F", reason="F not relaxed"),
        ],
        energies={},
        species={
            "HF": SpeciesDoc(starts=[StartDoc(name="on file", energy=-1.0)]),
            "PVDF": SpeciesDoc(
                energy=-9.0,
                spread=0.02,
                lowest="seed 2",
                starts=[
                    StartDoc(name="seed 0", energy=-8.98),
                    StartDoc(name="seed 1", reason="seed 1 came apart"),
                    StartDoc(name="seed 2", energy=-9.0),
                ],
            ),
        },
        cost=CostDoc(),
        engine=EngineDoc(kind="pyscf", name="PBE0", version="2.14"),
    )
    found = energetics_document({"coating: reactions": document}, [])
    write_results(made_up_study().model_copy(update={"energetics": found}), tmp_path)
    shown = cli("show", tmp_path).out
    assert "+1.23" in shown and "PBE0 2.14" in shown and "! HF → H + F: no energy: F not relaxed" in shown
    rows = list(csv.DictReader((tmp_path / "reactions.csv").open()))
    assert [(row["name"], row["energy"], row["spread"]) for row in rows] == [
        ("PVDF-HF", "1.2345", "0.02"),
        ("x", "", ""),
    ]
    assert "! PVDF: a start does not count: seed 1 came apart" in shown
    (row,) = csv.DictReader((tmp_path / "species.csv").open())
    assert (row["name"], row["starts"], row["kept"], row["lowest"]) == ("PVDF", "3", "2", "seed 2")
    assert (row["spread"], row["dropped"]) == ("0.02", "seed 1 came apart")


@pytest.mark.mongo
def test_what_is_not_computed_yet_is_collected_as_a_gap(here: Cluster) -> None:
    study = read_study(TEXT + ASKED)
    submit(StudyMaker().parts(study), study.name, here)
    document = collect(study, here)
    assert document.energetics is not None and document.kinetics is not None
    assert [(row.system, row.reason) for row in document.energetics.adsorption] == [("NCM@PVDF", "not computed yet")]
    assert {row.reason for row in document.kinetics.frequencies} == {"not computed yet"}
    assert {(row.system, row.hop) for row in document.kinetics.frequencies} == {
        (gap.system, gap.hop) for gap in document.gaps
    }


def test_a_fragment_that_became_another_molecule_on_the_slab_is_not_its_reference() -> None:
    molecule = build_fragment("PVDF", 2).molecule
    whole = in_box(molecule, 10.0)
    broken = whole.copy()
    broken.translate_sites([int(whole.indices_from_symbol("F")[0])], [3.0, 0, 0], frac_coords=False)

    def relaxed(structure: Structure, energy: float, converged: bool = True) -> SimpleNamespace:
        return SimpleNamespace(structure=structure, energy=energy, converged=converged)

    first, lower, other = relaxed(whole, -1.0), relaxed(whole, -1.5), relaxed(broken, -9.0)
    assert intact_ones([first, lower, other]) == [first, lower]
    loose = relaxed(whole, -1.0, converged=False)
    assert intact_ones([loose, other]) == [loose]
    assert rearranged(whole, broken)


def test_a_fragment_across_the_edge_of_its_cell_is_lifted_off_whole() -> None:
    molecule = build_fragment("PVDF", 2, "HF").molecule
    cell = np.array([[9.0, 0, 0], [-3.0, 11.0, 0], [0, 0, 25.0]])
    slab = Structure(cell, ["Li", "O"], [[0, 0, 1], [4, 4, 1]], coords_are_cartesian=True)
    interface = slab.copy()
    for site in molecule:
        interface.append(site.specie, site.coords + np.array([8.0, 10.0, 14.0]), coords_are_cartesian=True)
    wrapped = Structure(cell, interface.species, interface.frac_coords % 1)
    assert not np.allclose(wrapped.cart_coords, interface.cart_coords)
    parts = [SimpleNamespace(structure=structure) for structure in (wrapped, slab)]
    alone = lift_off.original(*parts, molecule, 10.0)
    assert pdist(alone.cart_coords) == pytest.approx(pdist(molecule.cart_coords), abs=1e-6)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("energetics: {reactions: [PVDF-HFF]}", "'PVDF-HFF' is not on file; allowed: PVDF-HF.*did you mean 'PVDF-HF'"),
        ("energetics: {reactions: ['HF -> H']}", "H1 F1 before and H1 after; allowed: the same"),
        ("energetics: {reactions: ['HF -> Xx + F']}", "'Xx' is not known; allowed: HF, "),
        ("energetics: {adsorbtion: true}", "adsorbtion.*adsorption"),
        ("kinetics: {directions: 6}", "directions: 6 stands without dimensions; allowed: both, or none and no D"),
        ("kinetics: {directions: 2, dimensions: 3}", "directions: 2 is too few for 3 dimensions; allowed: at least 4"),
        ("kinetics: {temperatures: [20]}", "kinetics.temperatures"),
        ("published: {source: x, barriers: [{system: NMC, barrier: 1}]}", "'NMC' is no system; .*did you mean 'NCM'"),
    ],
)
def test_what_cannot_be_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_study(TEXT + text)
