"""Saddles that are searched for from the climbing image: where asked for, and where a band does not converge."""

from __future__ import annotations

from contextlib import chdir
from pathlib import Path

import false_paths
import numpy as np
import pytest
import two_humps
from jobflow import run_locally
from scipy.optimize import root
from taken_ends import barrier_of

from barriers import BarrierMaker, EspressoEngine, MlipEngine, SurrogateEngine
from barriers.documents import BarrierDoc
from barriers.study.models import EndpointStudy, NebSection, Study
from barriers.workflow.result_jobs import REFINED

DETOUR = false_paths.Detour()


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def stationary(x: float, y: float) -> np.ndarray:
    return np.array(root(lambda place: DETOUR.surface(*place)[1], [x, y], tol=1e-10).x)


def wells_of_the_detour() -> tuple[np.ndarray, np.ndarray]:
    return stationary(0, 0), stationary(false_paths.LENGTH, 0)


def test_a_saddle_is_found_from_a_rough_band(tmp_path: Path) -> None:
    """The band's images stand unevenly: its curve is not needed."""
    ends, found = (false_paths.ion(0), false_paths.ion(false_paths.LENGTH)), []
    for refine in (False, True):
        (tmp_path / str(refine)).mkdir()
        with chdir(tmp_path / str(refine)):
            found.append(barrier_of("false_paths:Wells", *ends, n_images=4, refine=refine))
    tight, refined = found
    assert [refined.forward, refined.reverse, refined.span] == pytest.approx([0.5] * 3, abs=1e-3)
    assert refined.forward == refined.band.energies[2] - refined.band.energies[0]
    (saddle,) = refined.band.saddles
    assert saddle.refined == "a search of 4 evaluations from the climbing image"
    assert (saddle.order, saddle.image) == (1, 2) and saddle.overlap > 0.99
    assert saddle.curvatures[0] == pytest.approx(-((2 * np.pi / false_paths.LENGTH) ** 2) / 4, rel=0.05)
    assert refined.band.positions[2][-1] == pytest.approx([false_paths.LENGTH / 2, 0, 0], abs=0.02)
    assert refined.checks["saddle refined"] and "band converged" not in refined.checks
    assert refined.definition == REFINED != tight.definition
    assert refined.uncertainty_parts["fit"] == 0 and 0 <= refined.uncertainty_parts["tolerance"] < 1e-3
    assert refined.profile["curvature"] == saddle.curvatures[0] and refined.profile["forward"] == refined.forward
    assert not tight.band.saddles[0].refined and tight.checks["band converged"]


def test_a_band_that_does_not_converge_gives_the_barrier_of_its_saddle() -> None:
    barrier = barrier_of("false_paths:Wells", *map(false_paths.ion, (0, false_paths.LENGTH)), n_images=4, max_steps=2)
    assert barrier.converged and barrier.forward == pytest.approx(0.5, abs=1e-3)
    (saddle,) = barrier.band.saddles
    assert saddle.refined is not None and saddle.refined.endswith("and the ways down from it end in both end states")
    (warning,) = barrier.warnings
    assert "the band is not converged, 0.302 eV/Å after 2 iterations, 0.01 asked for" in warning
    assert saddle.refined in warning and barrier.definition == REFINED
    # The band runs along the ways down: all four images on the line, each step down.
    x, y, z = np.array(barrier.band.positions)[:, -1].T
    assert (np.diff(x) > 0.1).all() and np.abs([y, z]).max() < 0.01
    energies = np.array(barrier.band.energies) - barrier.band.energies[0]
    assert energies == pytest.approx((1 - np.cos(2 * np.pi * x / false_paths.LENGTH)) / 4, abs=1e-3)
    assert (np.diff(energies[:3]) > 0).all() and (np.diff(energies[2:]) < 0).all()


def test_of_a_band_pushed_off_a_ridge_the_saddle_is_found_too() -> None:
    ends = false_paths.ion(0), false_paths.ion(false_paths.LENGTH)
    for steps in (2, 500):
        barrier = barrier_of("false_paths:Ridge", *ends, max_steps=steps, refine=steps == 500)
        assert barrier.forward == pytest.approx(false_paths.RIDGE - false_paths.DROP, abs=1e-3)
        assert "is of order 2" in barrier.warnings[0] and barrier.band.refined is not None


def test_a_search_that_ends_at_the_saddle_of_another_path_is_refused() -> None:
    """From the hill between two wells it falls to the saddle between one of them and a third."""
    first, last = wells_of_the_detour()
    barrier = barrier_of("false_paths:Detour", false_paths.ion(*first), false_paths.ion(*last), 4, max_steps=3)
    assert (barrier.converged, barrier.forward, barrier.band.refined) == (False, None, None)
    reason = barrier.reason or ""
    assert reason.startswith("0.323 eV/Å after 3 iterations, 0.01 asked for; the saddle found is of another path: ")
    third = stationary(1.6, 1.4)
    height = DETOUR.surface(*third)[0] - DETOUR.surface(*last)[0]
    far = np.linalg.norm(third - last)
    assert f"end 0.00 Å and 0.000 eV from the initial and {far:.2f} Å and {height:.3f} eV from the final" in reason


@pytest.mark.parametrize("refine", [False, True])
def test_the_way_round_is_found_by_the_band_whatever_its_first_search_ran_into(refine: bool) -> None:
    first, last = wells_of_the_detour()
    barrier = barrier_of("false_paths:Detour", false_paths.ion(*first), false_paths.ion(*last), 4, refine=refine)
    higher = stationary(*DETOUR.saddle)
    assert barrier.forward == pytest.approx(DETOUR.surface(*higher)[0] - DETOUR.surface(*first)[0], abs=1e-3)
    assert len(barrier.band.saddles) == 2 and len(barrier.band.joints) == 1
    assert all(bool(saddle.refined) is refine for saddle in barrier.band.saddles)
    assert [saddle.order for saddle in barrier.band.saddles] == [1, 1]


def test_one_of_two_humps_is_not_the_barrier_of_a_band_that_does_not_converge() -> None:
    barrier = barrier_of("two_humps:SecondHigher", *two_humps.ends(), n_images=4, max_steps=2)
    assert not barrier.converged and "end 1.50 Å and 0.000 eV from the initial" in (barrier.reason or "")


def test_saddles_of_metals_are_those_of_tight_bands(tmp_path: Path) -> None:
    """All atoms of a slab move: gold on aluminium, against the band at 0.003 eV/Å."""
    from ase.build import add_adsorbate, fcc100
    from ase.constraints import FixAtoms

    from barriers.files.structures import to_structure

    initial = fcc100("Al", size=(2, 2, 3))
    add_adsorbate(initial, "Au", 1.7, "hollow")
    initial.center(axis=2, vacuum=4.0)
    initial.set_constraint(FixAtoms(mask=initial.get_tags() > 1))
    final = initial.copy()
    final.positions[-1, 0] += final.cell[0, 0] / 2
    found: list[BarrierDoc] = []
    for refine in ("saddle", None):
        (tmp_path / str(refine)).mkdir()
        neb = NebSection(fmax=0.003, refine=refine)
        maker = BarrierMaker(engine=MlipEngine(model="emt", workers=1), neb=neb)
        flow = maker.make(to_structure(initial), to_structure(final))
        found.append(
            run_locally(flow, ensure_success=True, log=False, root_dir=tmp_path / str(refine))[flow.output.uuid][
                1
            ].output
        )
    refined, tight = found
    assert refined.band.refined is not None and tight.band.refined is None
    assert refined.forward == pytest.approx(tight.forward, abs=1e-3)


def tolerances_in_key(neb: NebSection) -> dict[str, float]:
    flow = BarrierMaker(engine=MlipEngine(model="emt"), neb=neb).between(None, None)
    found: dict[str, float] = flow.jobs[0].maker.identity()["tolerances"]
    return found


def test_only_a_search_that_is_asked_for_is_part_of_the_key() -> None:
    assert tolerances_in_key(NebSection()) == {"fmax": 0.05, "rough_fmax": 0.3, "spring": 1.0}
    assert tolerances_in_key(NebSection(refine="saddle"))["refine"]


def test_other_engines_are_refused_in_words() -> None:
    line = r"neb\.refine: 'saddle' is not for engine espresso; allowed: null with it, or engine mlip and neb: band"
    ends = {"initial": "a", "final": "b"}
    with pytest.raises(ValueError, match=line):
        EndpointStudy(name="a", endpoints=ends, engine="espresso", neb={"refine": "saddle"})
    corrected = {"kind": "mlip", "model": "emt", "neb": "surrogate"}
    with pytest.raises(ValueError, match=r"'saddle' is not for engine\.neb surrogate"):
        Study(name="a", systems=[{"name": "NCM"}], engine=corrected, neb={"refine": "saddle"})
    for engine in (EspressoEngine(), SurrogateEngine(prior=MlipEngine(), expensive=EspressoEngine())):
        with pytest.raises(ValueError, match=rf"neb\.refine: 'saddle' is not for {type(engine).__name__}"):
            BarrierMaker(engine=engine, neb=NebSection(refine="saddle"))
