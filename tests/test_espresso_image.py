"""Electrons of the images of a real band, from what ``neb.x`` left of each: three hydrogen atoms in a row."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from espresso_cases import DEBIAN, as_relaxed, compute, hydrogen_engine, hydrogens, need_qe
from test_espresso_density import NORM_CONSERVING, computed, maker_of, md5

from barriers.documents import BandDoc
from barriers.engines.espresso import EspressoEngine
from barriers.engines.espresso.image import image_electrons
from barriers.files.density import read_density
from barriers.report.density import write_density
from barriers.structures.path.start import Start

pytestmark = pytest.mark.qe


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need_qe()
    return tmp_path_factory.mktemp("band")


def engine(folder: Path) -> EspressoEngine:
    path = folder / "pz.yaml"
    path.write_text(re.sub("md5: [0-9a-f]+", f"md5: {md5('H.pz-vbc.UPF')}", NORM_CONSERVING))
    return EspressoEngine(**{**hydrogen_engine(folder).__dict__, "pseudopotentials": str(path)})


@pytest.fixture(scope="module")
def outdir(place: Path) -> Path:
    """One image between the ends, after two iterations: the middle of the exchange, by symmetry the saddle."""
    ends = hydrogens([-4.5, 0, 1.5]), hydrogens([-1.5, 0, 4.5])
    maker = engine(place).neb(fmax=0.3, rough_fmax=0.5, max_steps=2, spring=5.0)
    band = compute(maker.make(*map(as_relaxed, ends), Start(n_images=1, method="linear")), place)
    assert isinstance(band, BandDoc) and band.energies[1] > band.energies[0] + 0.5, band
    (found,) = place.glob("jobs/*/neb-*/out")
    return found


def test_the_saddle_has_the_electrons_that_it_has_when_it_is_computed_anew(outdir: Path, place: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in outdir.rglob("*")}
    found = image_electrons(outdir, "saddle", place / "saddle")
    assert {path: path.stat().st_mtime_ns for path in outdir.rglob("*")} == before, "what neb.x left is only read"
    anew = computed(maker_of(engine(place)), place / "anew", found.structure)
    theirs = read_density(anew, "density").values
    assert np.abs(read_density(found, "density").values - theirs).max() < 2e-3 * theirs.max()
    assert found.bader.charges == pytest.approx(anew.bader.charges, abs=2e-3)
    assert found.lowdin is not None and anew.lowdin is not None
    assert found.lowdin.charges == pytest.approx(anew.lowdin.charges, abs=2e-3)
    assert found.lowdin.moments == pytest.approx(anew.lowdin.moments, abs=5e-3)
    assert found.moments is None, "of spheres that belong to the first image: 0.06 where 0.23 is right"
    assert {path.name for path in write_density(found, place / "shown")} >= {"charges.csv"}
    by_number = image_electrons(outdir, 2, place / "second", prefix="band")
    assert by_number.bader == found.bader


def test_without_wavefunctions_the_density_is_there_and_the_rest_is_said_to_lack(outdir: Path, place: Path) -> None:
    copy = place / "no-waves"
    shutil.copytree(outdir, copy)
    for path in copy.glob("band_1/band.save/wfc*"):
        path.unlink()
    found = image_electrons(copy, "initial", place / "first")
    assert found.electrons == pytest.approx(3, abs=1e-3) and found.lowdin is None
    assert [grid.name for grid in found.grids] == ["density"]
    assert "no ELF and no Löwdin charges: the image's folder has no wavefunctions (disk_io)" in found.warnings


def test_folders_that_do_not_hold_the_image_are_refused_with_what_there_is(outdir: Path, place: Path) -> None:
    damaged = place / "damaged"
    shutil.copytree(outdir, damaged)
    save = damaged / "band_2" / "band.save"
    schema = save / "data-file-schema.xml"
    text = schema.read_text()
    output = text.index("<output>")
    schema.write_text(text[:output] + text[output:].replace(">true<", ">false<", 1))
    shutil.copy(DEBIAN / "HUSPBE.RRKJ3", damaged / "band_3" / "band.save" / "H.pz-vbc.UPF")
    (damaged / "band_1" / "band.save" / "charge-density.dat").unlink()
    shutil.copytree(outdir, place / "two")
    for number in (1, 2, 3):
        (place / "two" / f"pwscf_{number}").mkdir()
    (place / "full").mkdir()
    (place / "full" / "mine").touch()
    refused = {
        (outdir, 4): r"image: 4; allowed: 1, 2, 3, initial, saddle, final$",
        (outdir, "top"): r"image: 'top'; allowed: 1, 2, 3, initial, saddle, final$",
        (outdir.parent, 2): r"no folders PREFIX_1, PREFIX_2, … of images; allowed: the outdir of a run of neb\.x",
        (place / "two", 2): r"images of several bands; say which \(prefix\): band, pwscf$",
        (damaged, 1): r"band_1/band\.save: no charge-density\.\*, it was cleaned or never written; allowed: a folder",
        (damaged, 2): r"its electrons were not converged; allowed: a folder that neb\.x left whole; else compute",
        (damaged, 3): r"H\.pz-vbc\.UPF: no pseudopotential in UPF that says its valence electrons",
    }
    for (folder, image), words in refused.items():
        with pytest.raises(ValueError, match=words):
            image_electrons(folder, image, place / "never")
    with pytest.raises(ValueError, match=r"no images of prefix 'pwscf'; allowed: band$"):
        image_electrons(outdir, 1, place / "never", prefix="pwscf")
    with pytest.raises(ValueError, match=r"full is not empty; allowed: a new one"):
        image_electrons(outdir, 1, place / "full")
    assert not (place / "never").exists()
