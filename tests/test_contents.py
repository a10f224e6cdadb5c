"""What is in a key: what changes a number is computed anew, what does not is taken; the table of both."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, make_dataclass, replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
from conftest import gold_on_aluminium
from espresso_cases import DEBIAN, HYDROGEN_SET, as_relaxed, hydrogen_engine, hydrogens, need_qe
from hypothesis import given
from hypothesis import strategies as st
from jobflow import JobStore, Maker, job
from maggma.stores import MemoryStore
from pydantic import BaseModel
from pymatgen.core import SETTINGS, Lattice, Structure

from barriers import MlipEngine
from barriers.analysis.comparison import Row, compare
from barriers.contents import canonical, digest
from barriers.dispatch.execution import Executed, execute
from barriers.dispatch.identity import contents, key_of
from barriers.documents import EngineDoc, RelaxDoc
from barriers.engines import checked_files
from barriers.engines.checkpoint import Checkpoint
from barriers.engines.espresso import EspressoEngine, pseudopotentials
from barriers.engines.espresso import settings as espresso_settings
from barriers.engines.mlip import models, pool
from barriers.engines.mlip import weights as weights_of_models
from barriers.engines.mlip.weights import weights_checksum
from barriers.files.structures import to_structure
from barriers.fingerprint import check_one_engine, rests_on
from barriers.structures.digest import structure_digest
from barriers.structures.path.start import Start

SPRINGS = '''
"""Atoms on springs to where they should be; the stiffness is read from a file of weights."""

import json
from pathlib import Path

import numpy as np
from ase.calculators.calculator import Calculator, all_changes


class Springs(Calculator):
    implemented_properties = ("energy", "forces")

    def __init__(self, model=None):
        super().__init__()
        self.weights = model
        self.stiffness = json.loads(Path(model).read_text())["stiffness"] if model else 3.0

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        away = self.atoms.positions - np.round(self.atoms.positions)
        self.results = {"energy": self.stiffness * float((away**2).sum()) / 2, "forces": -self.stiffness * away}
'''

PAIR = Structure(Lattice.cubic(9.0), ["Al", "Au"], [[0.1, 0.0, 0.0], [4.0, 4.2, 4.0]], coords_are_cartesian=True)


def away(structure: Structure, by: float) -> Structure:
    moved = structure.copy()
    moved.translate_sites([0], [by, -by, by], frac_coords=False, to_unit_cell=False)
    return moved


@dataclass
class Bench:
    """A calculator with weights, and a place to run its jobs with what was computed before."""

    folder: Path
    store: JobStore
    weights: Path
    structure: Structure = field(default_factory=PAIR.copy)
    name: str = "relax"
    engine: MlipEngine = field(default_factory=lambda: MlipEngine(model="springs"))
    max_steps: int = 100

    def run(self, **changes: object) -> Executed:
        """Run the relaxation, with changes."""
        bench = replace(self, **changes)
        engine = replace(bench.engine, weights=str(bench.weights))
        made = engine.relax(0.01, bench.max_steps).make(bench.structure)
        made.name = bench.name
        return execute(made, self.store, self.folder)

    def results(self) -> list[RelaxDoc]:
        """Relaxations stored so far."""
        return [RelaxDoc(**record["output"]) for record in self.store.query({}, load=True)]


@pytest.fixture
def springs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """A made-up model that works in this process, and whose weights are a file of one number."""
    (tmp_path / "springs.py").write_text(SPRINGS)
    monkeypatch.syspath_prepend(str(tmp_path))
    known = {"calculator": "springs:Springs", "package": "ase", "light": True, "weights": "file"}
    known |= {"weights_option": "model", "download_weights": "springs.json"}
    monkeypatch.setitem(models.known_models(), "springs", known)
    weights = tmp_path / "one.json"
    weights.write_text('{"stiffness": 1.0}')
    store = JobStore(MemoryStore())
    store.connect()
    yield Bench(tmp_path, store, weights)
    sys.modules.pop("springs", None)


def copied(bench: Bench, name: str = "renamed.json") -> Path:
    return Path(shutil.copy(bench.weights, bench.folder / name))


def test_edited_weights_are_computed_anew_and_the_result_names_those_that_were_loaded(springs: Bench) -> None:
    first = springs.run()
    springs.weights.write_text('{"stiffness": 2.0}')  # in place: same path, same size
    second = springs.run()
    assert [first.state, second.state] == ["done", "done"] and second.force_calls > 0
    before, after = springs.results()
    assert [after.engine.checksum, weights_checksum(models.ModelSpec("springs", str(springs.weights)))] == [
        hashlib.sha256(b'{"stiffness": 2.0}').hexdigest()
    ] * 2
    assert before.engine.checksum == hashlib.sha256(b'{"stiffness": 1.0}').hexdigest()


@pytest.mark.parametrize(
    "change",
    [
        lambda bench: {"weights": copied(bench)},
        lambda bench: {"name": "of another system"},
        lambda bench: {"structure": away(PAIR, 1e-15)},
        lambda bench: {"structure": Structure.from_dict(PAIR.as_dict())},
        lambda bench: {"max_steps": 7},
        lambda bench: {"engine": MlipEngine("springs", device="cpu", workers=2)},
    ],
    ids=["renamed weights", "renamed system", "1e-15 Å", "written and read", "max_steps", "device and workers"],
)
def test_what_changes_no_number_computes_nothing(springs: Bench, change: Callable[[Bench], dict[str, object]]) -> None:
    assert springs.run().force_calls > 0
    again = springs.run(**change(springs))
    assert (again.state, again.force_calls) == ("reused", 0)


def test_paths_hold_wherever_a_job_runs(springs: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(springs.folder)
    assert springs.run(weights=Path(springs.weights.name)).state == "done"
    assert springs.run().state == "reused"
    hydrogen_engine(tmp_path)
    maker = EspressoEngine(pseudopotentials="hydrogen.yaml", pseudo_dir=".").static()
    monkeypatch.chdir("/")
    assert maker.identity(["H"])["pseudopotentials"]["H"]["ecutwfc"] == 20
    assert Path(str(maker.running.pseudo_dir)) == tmp_path


@pytest.mark.parametrize(
    "structure",
    [away(PAIR, 1e-5), PAIR[::-1], PAIR.copy(site_properties={"selective_dynamics": [[True] * 3, [False] * 3]})],
    ids=["1e-5 Å", "another order of atoms", "a frozen atom"],
)
def test_another_structure_is_computed(springs: Bench, structure: Structure) -> None:
    given_structure = structure if isinstance(structure, Structure) else Structure.from_sites(structure)
    springs.run()
    assert springs.run(structure=given_structure).state == "done"


def test_weights_that_change_while_a_job_runs_give_no_result(springs: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    evaluate = pool.Evaluator.evaluate

    def edited_meanwhile(self: pool.Evaluator, *args: object, **kwargs: object) -> object:
        results = evaluate(self, *args, **kwargs)
        springs.weights.write_text('{"stiffness": 5.0}')
        return results

    monkeypatch.setattr(pool.Evaluator, "evaluate", edited_meanwhile)
    done = springs.run()
    assert done.state == "failed" and "potential changed while the job ran" in done.message
    assert springs.results() == []
    monkeypatch.undo()


def test_workers_load_the_weights_that_the_key_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "springs_of_workers.py").write_text(SPRINGS)
    monkeypatch.syspath_prepend(str(tmp_path))
    pool.stop_workers()  # those there are do not know this folder
    weights = tmp_path / "one.json"
    spec = models.ModelSpec("springs_of_workers:Springs", str(weights))
    energies = []
    for stiffness in (1.0, 2.0):
        weights.write_text(json.dumps({"stiffness": stiffness}))
        (result,) = pool.get_evaluator(spec, 1).evaluate([PAIR.to_ase_atoms()])
        energies.append(result.energy)
    assert energies[1] == pytest.approx(2 * energies[0]) and energies[0] > 0.01
    evaluator = pool.get_evaluator(spec, 1)
    weights.write_text('{"stiffness": 3.0}')
    pool.stop_workers()
    with pytest.raises(RuntimeError, match=r"engine\.weights: .*one\.json was changed while a job used it"):
        evaluator.evaluate([PAIR.to_ase_atoms()])


def source_of(name: str, folder: Path, text: str) -> dict[str, object]:
    """Contents of a job with an own calculator, as a new process sees it."""
    path = folder / f"{name.replace('.', '/')}.py"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    for loaded in [module for module in sys.modules if module == name or name.startswith(f"{module}.moved")]:
        del sys.modules[loaded]
    return MlipEngine(model=f"{name}:Springs").static().identity()


def test_an_edited_calculator_is_computed_anew_and_a_moved_one_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    first = source_of("own_springs", tmp_path, SPRINGS)
    moved = source_of("moved_to.other_springs", tmp_path, SPRINGS)
    edited = source_of("own_springs", tmp_path, SPRINGS.replace("/ 2, ", "/ 4, "))
    assert first == moved != edited
    heir = "from own_springs import Springs as Base\n\n\nclass Springs(Base):\n    pass\n"
    one = source_of("heir", tmp_path, heir)
    source_of("own_springs", tmp_path, SPRINGS)
    assert one != source_of("heir", tmp_path, heir)  # what it inherits counts
    assert "source" not in MlipEngine(model="ase.calculators.lj:LennardJones").static().identity()["potential"]


def test_another_release_of_the_package_that_brings_a_calculator_is_computed_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = MlipEngine(model="ase.calculators.lj:LennardJones").static()
    first = engine.identity()["potential"]
    assert first == {"model": "ase.calculators.lj:LennardJones", "package": f"ase {version('ase')}"}
    monkeypatch.setattr(weights_of_models, "version", lambda _name: "99.0")
    assert engine.identity()["potential"] == first | {"package": "ase 99.0"}


@pytest.mark.parametrize(
    "text",
    [
        "from ase.calculators.{} as Springs\n",
        "from functools import partial\nfrom ase.calculators.{} as P\nSprings = partial(P)\n",
    ],
    ids=["a library's class under another name", "an object that makes one"],
)
def test_a_module_that_chooses_another_calculator_is_computed_anew(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    one = source_of("chosen", tmp_path, text.format("emt import EMT"))
    assert one == source_of("elsewhere", tmp_path, text.format("emt import EMT"))
    assert one != source_of("chosen", tmp_path, text.format("morse import MorsePotential"))


def test_a_file_is_read_again_only_if_it_has_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, reads = tmp_path / "weights", []
    read = checked_files._sha256
    monkeypatch.setattr(checked_files, "_sha256", lambda path: reads.append(path) or read(path))
    path.write_bytes(b"one")
    os.utime(path, (1, 1))
    first = [checked_files.file_checksum(path) for _ in range(3)]
    path.write_bytes(b"two")
    os.utime(path, (1, 1))  # as a copy that keeps its time
    assert len(reads) == 1
    assert {checked_files.file_checksum(path)} | set(first) == {
        hashlib.sha256(text).hexdigest() for text in (b"one", b"two")
    }


# Quantum ESPRESSO


def lithium_oxide(by: float = 0.0) -> Structure:
    return away(Structure(Lattice.cubic(4.6), ["Li", "O"], [[0.25] * 3, [0.0] * 3]), by)


def espresso_key(structure: Structure | None = None, **settings: object) -> str:
    engine = EspressoEngine(**{"preset": "slab", **settings})
    return key_of(contents(engine.relax(0.03, 100).make(structure or lithium_oxide())))


@pytest.fixture
def presets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The engine's presets and sets, to be edited."""
    for module, name in ((espresso_settings, "PRESETS"), (pseudopotentials, "SETS")):
        copy = Path(shutil.copytree(getattr(module, name), tmp_path / name))
        monkeypatch.setattr(module, name, copy)
    return tmp_path


def edit(path: Path, old: str, new: str) -> Path:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")
    return path


def test_an_edited_preset_or_pseudopotential_is_computed_anew(presets: Path) -> None:
    sets = presets / "SETS" / "sssp-1.3-efficiency.yaml"
    keys = [espresso_key()]
    edit(presets / "PRESETS" / "slab.yaml", "degauss: 0.01 ", "degauss: 0.02 ")
    keys.append(espresso_key())
    edit(sets, "e912e257baa3777c20ea3d68f190483c", "a" * 32)  # of Li: another UPF file
    keys.append(espresso_key())
    edit(sets, "ecutwfc: 50", "ecutwfc: 55")  # of O
    keys += [espresso_key(), espresso_key(kspacing=0.25), espresso_key(keywords={"degauss": 0.005})]
    assert len(set(keys)) == len(keys) == 6


def test_names_paths_and_commands_of_espresso_compute_nothing(presets: Path) -> None:
    first = espresso_key()
    edit(presets / "SETS" / "sssp-1.3-efficiency.yaml", "F.UPF, ecutwfc: 45", "F.UPF, ecutwfc: 46")  # neither Li nor O
    own = shutil.copy(presets / "SETS" / "sssp-1.3-efficiency.yaml", presets / "my_own.yaml")
    shutil.copy(presets / "PRESETS" / "slab.yaml", presets / "PRESETS" / "renamed.yaml")
    for settings in (
        {"preset": "renamed"},
        {"pseudopotentials": str(own)},
        {"pseudo_dir": "/elsewhere"},
        {"command": "mpirun -np 8 neb.x -ni 4", "max_seconds": 60, "continue_from": "/before"},
        {"kspacing": 0.3, "hubbard_u": {"Ni": 6.2, "Mn": 3.9, "Co": 3.32}},  # what the preset says
        {"structure": lithium_oxide(1e-15)},
    ):
        assert espresso_key(**settings) == first, settings


def test_a_checkpoint_is_found_again_unless_the_preset_was_edited(
    presets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    maker = EspressoEngine().relax(0.03, 100)
    first = maker.workspace("relax", lithium_oxide(), 0.03).path
    assert maker.workspace("relax", lithium_oxide(1e-15), 0.03).path == first
    assert maker.workspace("relax", lithium_oxide(1e-5), 0.03).path != first
    edit(presets / "PRESETS" / "slab.yaml", "mixing_beta: 0.3", "mixing_beta: 0.2")
    assert maker.workspace("relax", lithium_oxide(), 0.03).path != first
    assert Checkpoint("relax", [1, 2.0]).path == Checkpoint("relax", [1.0, 2]).path


@pytest.mark.qe
def test_an_edited_set_runs_the_code_again_and_another_folder_does_not(tmp_path: Path) -> None:
    need_qe()
    store = JobStore(MemoryStore())
    store.connect()

    def run(engine: EspressoEngine) -> Executed:
        return execute(engine.static().make(hydrogens([0.0, 2.0, 4.0])), store, tmp_path)

    engine = hydrogen_engine(tmp_path)
    shutil.copy(DEBIAN / "HUSPBE.RRKJ3", tmp_path)
    assert run(engine).state == "done"
    assert run(replace(engine, pseudo_dir=str(tmp_path))).state == "reused"
    (tmp_path / "hydrogen.yaml").write_text(HYDROGEN_SET.replace("ecutwfc: 20", "ecutwfc: 22"))
    assert run(engine).force_calls == 1
    energies = [record["output"]["energy"] for record in store.query({}, load=True)]
    assert energies[0] == energies[1] != energies[2]


# VASP


@pytest.mark.filterwarnings("ignore::UserWarning")  # pymatgen does not know the POTCARs
def test_vasp_presets_and_potcars_count_by_what_is_in_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not os.environ.get("CI"):
        pytest.importorskip("atomate2")
    from vasp_tools import write_potcars

    from barriers.engines.vasp import settings
    from barriers.engines.vasp.engine import VaspEngine

    potcars = write_potcars(tmp_path / "potcars", "Al", "Au", "Al_sv")
    monkeypatch.setitem(SETTINGS, "PMG_VASP_PSP_DIR", str(potcars))
    monkeypatch.setattr(settings, "PRESETS", Path(shutil.copytree(settings.PRESETS, tmp_path / "presets")))

    def key(structure: Structure = PAIR, **given_settings: object) -> str:
        engine = VaspEngine(**given_settings)
        makers = (engine.static().make, engine.relax(0.03, 100).make)
        return " ".join(key_of(contents(make(structure))) for make in makers)

    first = key()
    shutil.copy(tmp_path / "presets" / "oxide.yaml", tmp_path / "presets" / "renamed.yaml")
    for same in (
        {"preset": "renamed"},
        {"command": "mpirun -np 64 vasp_std", "ncore": 8, "kpar": 2, "max_seconds": 60},
        {"kspacing": 0.3},
        {"potcars": {"Cu": "Cu_pv"}},  # not in the structure
        {"structure": away(PAIR, 1e-15)},
    ):
        assert key(**same) == first, same
    keys = [first, key(potcars={"Al": "Al_sv"}), key(incar={"ENCUT": 600}), key(structure=away(PAIR, 1e-5))]
    edit(tmp_path / "presets" / "oxide.yaml", "ENCUT: 520 ", "ENCUT: 500 ")
    keys.append(key())
    edit(potcars / "POT_GGA_PAW_PBE_54" / "Al" / "POTCAR", "1.0 2.0", "1.0 2.5")
    keys.append(key())
    assert len({part for both in keys for part in both.split()}) == 2 * len(keys)
    monkeypatch.setitem(SETTINGS, "PMG_VASP_PSP_DIR", str(tmp_path / "nowhere"))  # where a flow is only built
    named = contents(VaspEngine().static().make(PAIR))["POTCARs"]
    assert named["functional"] == "PBE_54"


# What is the same, whoever writes it down


def test_an_option_left_at_its_default_changes_no_key() -> None:
    class Before(BaseModel):
        fmax: float = 0.05

    class After(Before):
        added: str = "as before"

    assert canonical(Before(fmax=0.1)) == canonical(After(fmax=0.1)) != canonical(After(fmax=0.1, added="else"))
    fields = [("name", str, "foreign"), ("steps", int, 5)]
    old, new = (
        make_dataclass("Foreign", each, bases=(Maker,), namespace={"make": make})
        for each in (fields, [*fields, ("added", bool, False)])
    )
    for maker in (old, new):
        maker.__module__ = f"moved_to_{id(maker)}"
    keys = [key_of(contents(maker(name=name).make(PAIR))) for maker, name in ((old, "a"), (new, "b"))]
    assert keys[0] == keys[1]
    assert key_of(contents(new(added=True).make(PAIR))) != keys[0] != key_of(contents(old(steps=6).make(PAIR)))


@job
def make(self: Maker, structure: Structure, more: bool = False) -> None:
    """Do nothing."""


def test_an_input_given_at_its_default_or_by_name_is_the_same_input() -> None:
    maker = MlipEngine(model="emt").neb(0.05, 0.3, 100, 1.0)
    ends = [as_relaxed(to_structure(atoms)) for atoms in gold_on_aluminium()]
    start = Start(n_images=3)
    one, two = maker.make(*ends, start), maker.make(*ends, start=start, guide=None, known=None)
    assert key_of(contents(one)) == key_of(contents(two))


def test_noise_in_energies_and_forces_of_the_ends_computes_no_band_again() -> None:
    maker = MlipEngine(model="emt").neb(0.05, 0.3, 100, 1.0)
    ends = [as_relaxed(to_structure(atoms)) for atoms in gold_on_aluminium()]

    def key(**changes: object) -> str:
        return key_of(contents(maker.make(ends[0].model_copy(update=changes), ends[1], Start(n_images=3))))

    forces = np.full((13, 3), 1e-9)
    assert key() == key(energy=1e-9) == key(forces=forces.tolist()) == key(steps=7)
    assert len({key(), key(energy=1e-5), key(forces=(forces * 1e5).tolist()), key(moments=[0.5] * 13)}) == 4


@given(st.lists(st.floats(-20, 20), min_size=3, max_size=3), st.sampled_from([1e-15, -1e-15, 0.0]))
def test_a_structure_is_what_it_is_whatever_its_last_digits(position: list[float], noise: float) -> None:
    coordinates = np.round(np.array(position), 7)  # as a file has them; half of the last digit kept among them
    one, two = (
        Structure(Lattice.cubic(9.0), ["Li"], [coordinates + by], coords_are_cartesian=True) for by in (0.0, noise)
    )
    assert structure_digest(one) == structure_digest(two)
    assert structure_digest(one) != structure_digest(away(one, 2e-6))


def test_small_settings_are_told_apart_and_noise_is_not() -> None:
    assert digest({"conv_thr": 1e-12}) != digest({"conv_thr": 2e-12})
    assert digest({"fmax": 0.1 + 0.2}) == digest({"fmax": 0.3})
    assert digest([1, True, "1", None]) != digest([1.5, True, "1", None])
    assert digest({"a": 1, "b": 2}) == digest({"b": 2.0, "a": 1.0})


def test_engines_are_compared_by_what_is_in_their_settings() -> None:
    settings = {"preset": "oxide", "potcars": {"Ni": "Ni_pv"}, "incar": {"common": {"ENCUT": 520, "EDIFF": 1e-5}}}
    engine = EngineDoc(kind="vasp", name="VASP PBE_54", version="6.4", settings=settings, potentials={"Ni": "aa"})

    def with_settings(potentials: dict[str, str], **changes: object) -> EngineDoc:
        return engine.model_copy(update={"settings": settings | changes, "potentials": potentials})

    check_one_engine({"one": engine, "other": with_settings({"Ni": "aa", "F": "ff"}, preset="renamed", potcars={})})
    encut = {"common": {"ENCUT": 500, "EDIFF": 1e-5}}
    with pytest.raises(ValueError, match=r"of different engines: incar › common › ENCUT: 520 / 500$"):
        check_one_engine({"one": engine, "other": with_settings({"Ni": "aa"}, incar=encut)})
    with pytest.raises(ValueError, match=r"of different engines: pseudopotential of Ni: aa / bb$"):
        check_one_engine({"one": engine, "other": with_settings({"Ni": "bb"})})
    rows = [
        Row(name, "hop", 0.4, 0.0, {"slab": "s", "engine": "vasp", **rests_on(with_settings(potentials))})
        for name, potentials in (("NCM", {"Ni": "aa"}), ("with F", {"Ni": "aa", "F": "ff"}), ("other", {"Ni": "bb"}))
    ]
    reasons = [difference.reason for difference in compare(rows, "NCM", "forward")]
    assert reasons == [None, None, "differs in pseudopotential of Ni: aa / bb"]
