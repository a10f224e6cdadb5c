"""Names of files made of the names of systems and hops: other names, another file, and legible."""

from __future__ import annotations

from pathlib import Path

import pytest
from ase.io import read
from hypothesis import example, given
from hypothesis import strategies as st
from made_up_study import made_up_study

from barriers.files.structures import LONGEST_STEM, stem
from barriers.report.folder import write_figures, write_results
from barriers.report.style import FORMATS

NAMES = st.text(st.sampled_from("ab-+@→,=.β$"), min_size=1, max_size=4)
PAIRS = st.lists(NAMES, min_size=1, max_size=2).map(tuple)


@given(PAIRS, PAIRS)
@example(("NCM@PVDF",), ("NCM+PVDF",))
@example(("NCM-sub", "surface"), ("NCM", "sub-surface"))
@example(("a→b",), ("a,b",))
@example(("a-", "b"), ("a", "-b"))
@example(("a", "b"), ("a--b",))
@example(("n" * 130,), ("n" * 131,))
def test_other_names_are_other_files_that_every_file_system_takes(one: tuple[str, ...], two: tuple[str, ...]) -> None:
    assert (stem(*one) == stem(*two)) == (one == two)
    assert stem(*one).isascii()
    assert len(stem(*one)) < LONGEST_STEM + 10
    assert not set(stem(*one)) & set("@/\\:* ")


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("NCM@PVDF-HF", "sub-surface"), "NCM+PVDF-HF--sub-surface"),
        (("au_initial→au_final", ""), "au_initial,au_final"),
        (("PVDF-β",), "PVDF-beta=d5efbb95"),
    ],
)
def test_usual_names_can_be_read_off_the_file(names: tuple[str, ...], expected: str) -> None:
    assert stem(*names) == expected


def test_systems_whose_names_differ_by_a_sign_keep_their_own_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("barriers.report.style.FORMATS", FORMATS[1:2])
    study = made_up_study(names=("NCM@PVDF", "NCM+PVDF", "NCM PVDF"))
    written = [*write_results(study, tmp_path), *write_figures(study, tmp_path)[1:]]
    assert len(set(written)) == len(written)
    bands = [path for path in written if path.suffix == ".extxyz"]
    for path, barrier in zip(bands, study.barriers, strict=True):
        images = read(path, ":")
        assert [image.get_potential_energy() for image in images] == pytest.approx(barrier.band.energies)
        assert images[0].get_chemical_formula() == barrier.band.structure.to_ase_atoms().get_chemical_formula()
