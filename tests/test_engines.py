"""Every engine offers what an engine does; one from outside works or is refused in a line when the flow is built."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import outside
import pytest
from conftest import gold_on_aluminium
from jobflow import Maker, job
from pymatgen.core import Structure

from barriers import BarrierMaker, MlipEngine, as_calculator, run
from barriers.documents import RelaxDoc
from barriers.engines import ENGINES
from barriers.engines.protocol import METHODS, require_engine
from barriers.files.structures import to_structure
from barriers.workflow.adsorption import AdsorptionMaker
from barriers.workflow.attempt_frequency import AttemptFrequencyMaker
from barriers.workflow.labels import label
from barriers.workflow.reactions import ReactionMaker


def engine(kind: str) -> Any:
    module, _, name = ENGINES[kind].partition(":")
    return getattr(import_module(module), name)()


@pytest.mark.parametrize("kind", ENGINES)
def test_every_engine_has_the_methods_of_one_with_its_signatures(kind: str) -> None:
    assert set(METHODS) == {"check", "seconds_per_call", "static", "relax", "neb"}
    require_engine(engine(kind))
    for name, wanted in METHODS.items():
        has = inspect.signature(getattr(type(engine(kind)), name)).parameters
        expected = inspect.signature(wanted).parameters
        assert [(each.name, each.default, each.annotation) for each in has.values()] == [
            (each.name, each.default, each.annotation) for each in expected.values()
        ], name


def test_the_embedded_engine_is_checked_as_the_others_are() -> None:
    MlipEngine(model="emt").check(elements=["Al", "Au"], n_images=4)


class NoBand:
    def check(self, elements: Any = (), n_images: Any = None) -> None: ...
    def seconds_per_call(self, atoms: int, images: int) -> float: ...
    def static(self) -> Maker: ...
    def relax(self, fmax: float, max_steps: int) -> Maker: ...


class OtherWords(NoBand):
    def neb(self, fmax: float) -> Maker: ...


@pytest.mark.parametrize("maker", [BarrierMaker, AdsorptionMaker, AttemptFrequencyMaker, ReactionMaker])
@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("mlip", "engine: 'mlip' has no check, seconds_per_call, static, relax, neb; allowed: MlipEngine, "),
        (outside.SinglePoint(), r"engine: SinglePoint\(.*\) has no check, seconds_per_call, static, relax, neb; "),
        (MlipEngine, r"engine: MlipEngine is a class; allowed: what it makes, MlipEngine\(\)$"),
        (NoBand(), "engine: <.*NoBand object.* has no neb; allowed: "),
        (
            OtherWords(),
            "engine: OtherWords.neb: got an unexpected keyword argument 'rough_fmax'; allowed: ",
        ),
    ],
    ids=["name", "maker", "class", "method", "signature"],
)
def test_what_is_no_engine_is_refused_in_a_line(maker: type[Maker], given: Any, words: str) -> None:
    with pytest.raises(ValueError, match=rf"^{words}[^\n]*$"):
        maker(engine=given)


class OfMakers(OtherWords):
    """An engine whose relaxations are of a maker that is given."""

    def __init__(self, maker: Maker) -> None:
        self.maker = maker

    def relax(self, fmax: float, max_steps: int) -> Maker:
        return self.maker

    def neb(self, fmax: float, rough_fmax: float, max_steps: int, spring: float) -> Maker:
        return MlipEngine(model="emt").neb(fmax, rough_fmax, max_steps, spring)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            outside.SinglePoint(),
            "SinglePoint gives nothing that it names; allowed: a job with output_schema ",
        ),
        (outside.TwoJobs(), "Flow gives Flow; allowed: a job with output_schema "),
    ],
)
def test_another_packages_documents_are_refused_when_the_flow_is_built(given: Maker, words: str) -> None:
    ends = [to_structure(atoms) for atoms in gold_on_aluminium()]
    with pytest.raises(ValueError, match=rf"^engine: {words}[^\n]+$"):
        BarrierMaker(engine=OfMakers(given)).make(*ends)


class MyRelaxDoc(RelaxDoc):
    """A document with something more."""

    comment: str = ""


@dataclass
class MyRelaxMaker(Maker):
    """Relaxes as the embedded engine does, and returns a document of its own."""

    name: str = "mine"

    @job(output_schema=MyRelaxDoc)
    def make(self, structure: Structure) -> MyRelaxDoc:
        maker = MlipEngine(model="emt").relax(0.03, 500)
        return MyRelaxDoc(**dict(maker.make.original(maker, structure)), comment="mine")


def test_an_engine_from_outside_gives_the_same_barrier(tmp_path: Path) -> None:
    ends = [to_structure(atoms) for atoms in gold_on_aluminium()]
    flow = BarrierMaker(engine=OfMakers(MyRelaxMaker())).make(*ends)
    assert [job.metadata["kind"] for job, _ in flow.iterflow()] == ["relax", "relax", "neb", "analysis"]
    assert run(flow, tmp_path).output.forward == pytest.approx(0.375, abs=0.002)


def test_the_kind_of_a_job_is_that_of_the_document_it_gives() -> None:
    emt = MlipEngine(model="emt")
    structure = to_structure(gold_on_aluminium()[0])
    kinds = {
        name: label(job, name).metadata["kind"]
        for name, job in {
            "static": emt.static().make(structure),
            "relax": emt.relax(0.1, 1).make(structure),
            "neb": emt.neb(0.1, 0.3, 1, 1.0).make(None, None, None),
            "subclass": MyRelaxMaker().make(structure),
        }.items()
    }
    assert kinds == {"static": "static", "relax": "relax", "neb": "neb", "subclass": "relax"}


@pytest.mark.parametrize("model", ["outside:of_single_points", "outside:of_atomate2"])
def test_a_maker_of_another_package_is_a_model(model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if model == "outside:of_atomate2":
        pytest.importorskip("atomate2")
    monkeypatch.chdir(tmp_path)
    MlipEngine(model=model).check()
    ends = [to_structure(atoms) for atoms in gold_on_aluminium()]
    outcome = run(BarrierMaker(engine=MlipEngine(model=model, workers=1), fmax=0.03, n_images=1).make(*ends), tmp_path)
    plain = run(BarrierMaker(engine=MlipEngine(model="emt"), fmax=0.03, n_images=1).make(*ends), tmp_path / "plain")
    assert outcome.failures == {}
    assert outcome.output.forward == pytest.approx(plain.output.forward, abs=1e-6)
    assert not list(tmp_path.rglob("SinglePoint-*"))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (
            lambda: as_calculator("emt"),
            "'emt' is no Maker; allowed: one of single evaluations, or with an ASE calculator",
        ),
        (lambda: as_calculator(outside.TwoJobs()), "TwoJobs makes no job by itself; allowed: a Maker of one job"),
        (
            lambda: evaluate(as_calculator(outside.SinglePoint(moves=0.1))),
            "SinglePoint moves atoms; allowed: a Maker of single evaluations",
        ),
        (
            lambda: evaluate(as_calculator(outside.SinglePoint(forces=False))),
            "SinglePoint gives no document with structure, output.energy and output.forces; files in .*SinglePoint-.*",
        ),
    ],
    ids=["no maker", "flow", "relaxation", "no forces"],
)
def test_a_maker_without_single_evaluations_is_refused(
    make: Any, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=rf"^{words}$"):
        make()


def evaluate(calculator: Any) -> np.ndarray:
    atoms = gold_on_aluminium()[0]
    atoms.calc = calculator
    return np.array(atoms.get_forces(apply_constraint=False))


def test_forces_are_given_in_the_order_that_was_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ase.calculators.emt import EMT

    monkeypatch.chdir(tmp_path)
    given = to_structure(gold_on_aluminium()[0])
    assert given.get_sorted_structure(reverse=True).species != given.species
    assert evaluate(as_calculator(outside.SinglePoint())) == pytest.approx(evaluate(EMT()), abs=1e-10)
