"""Matrices beside each other: refused unless they are alike, density and chains first; D over temperatures."""

from __future__ import annotations

import numpy as np
import pytest
from trajectories import matrix

from barriers.analysis.kinetics import BOLTZMANN
from barriers.analysis.trajectory.comparison import compare
from barriers.analysis.trajectory.documents import TransportDoc
from barriers.analysis.trajectory.result import transport
from barriers.analysis.trajectory.temperatures import activation


@pytest.fixture(scope="module")
def slow() -> TransportDoc:
    return transport([matrix(0, 300, "chains", 0.2)], temperature=400.0)


@pytest.fixture(scope="module")
def fast() -> TransportDoc:
    """The same box whose chains, which carry the ion, take steps three times as long."""
    return transport([matrix(1, 300, "chains", 0.6)], temperature=400.0)


def test_a_faster_melt_is_not_told_as_a_faster_ion(slow: TransportDoc, fast: TransportDoc) -> None:
    found = compare(slow, fast)
    ratio = next(row for row in found.rows if row.quantity.startswith("MSD of Li ("))
    assert ratio.error is not None
    assert abs(ratio.ratio - 9) < 3 * ratio.error
    assert "the melt as a whole explains it" in found.sentence
    assert "the salt does not dissociate differently" in found.sentence
    assert found.sentence.startswith("the density is")


def test_a_matrix_beside_itself_does_not_differ(slow: TransportDoc) -> None:
    assert "no difference is told apart from its error" in compare(slow, slow).sentence


def test_what_is_not_alike_is_not_compared(slow: TransportDoc) -> None:
    def other(**change: object) -> TransportDoc:
        return slow.model_copy(update={"matrix": slow.matrix.model_copy(update=change)})

    changed = [
        (other(ion="Na"), "ion: Na"),
        (slow.model_copy(update={"temperature": None}), "temperature: not told"),
        (slow.model_copy(update={"temperature": 410.0}), "temperature: 410 K"),
        (other(anions={"FSI⁻": 27}), "anions: FSI⁻"),
        (other(ions=30), "salt content: "),
        (other(backbone=60.0, ions=32), "length of chains: 60"),
        (slow.model_copy(update={"length": 1000.0}), "length of run: 1 ns"),
    ]
    for document, said in changed:
        with pytest.raises(ValueError, match=f"^{said}") as stopped:
            compare(slow, document)
        assert "allowed: " in str(stopped.value)


def test_the_energy_of_activation_is_that_of_its_making() -> None:
    at = np.array([350.0, 400.0, 450.0, 500.0])
    D = 1e-3 * np.exp(-0.3 / (BOLTZMANN * at))
    found = activation(at.tolist(), D.tolist(), (0.1 * D).tolist())
    assert found is not None
    assert found.energy == pytest.approx(0.3)
    assert found.vogel is None
    pulls = []
    for seed in range(100):
        noisy = D * np.exp(np.random.default_rng(seed).normal(0, 0.1, 4))
        one = activation(at.tolist(), noisy.tolist(), (0.1 * noisy).tolist())
        assert one is not None
        pulls.append((one.energy - 0.3) / one.energy_error)
    assert 0.8 < np.std(pulls) < 1.2
    assert activation([400.0], [1e-6], [1e-7]) is None


def test_a_law_of_vogel_is_fitted_only_where_the_line_bends() -> None:
    at = np.array([320.0, 350.0, 400.0, 450.0, 500.0])
    D = np.exp(-7.0 - 900.0 / (at - 220.0))
    known, vague = (activation(at.tolist(), D.tolist(), (share * D).tolist()) for share in (0.05, 2.0))
    assert known is not None and vague is not None
    assert known.vogel == pytest.approx((-7.0, 900.0, 220.0), rel=0.02)
    assert vague.vogel is None
