"""A magnetic oxide with spin, U, D3 and several k-points, relaxed and taken along a band by the real code."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from benchmarks.espresso_handover import ends, energies
from espresso_cases import as_relaxed, compute, need_qe

from barriers.documents import BandDoc, RelaxDoc
from barriers.engines.espresso import EspressoEngine
from barriers.structures.path.start import Start

pytestmark = [pytest.mark.qe, pytest.mark.slow]


def engine() -> EspressoEngine:
    """Preset of slabs for Li0.5NiO2, seven atoms and two k-points; cutoffs as low as they go."""
    need_qe()
    loose = {"ecutwfc": 18.0, "ecutrho": 144.0, "conv_thr": 1e-3}
    return EspressoEngine(pseudopotentials="debian-pbesol", dipole=False, kspacing=2.0, keywords=loose)


def test_a_relaxation_has_the_numbers_that_the_code_prints(tmp_path: Path) -> None:
    initial, _ = ends()
    relaxed = compute(engine().relax(fmax=1.4, max_steps=9).make(initial), tmp_path)
    assert isinstance(relaxed, RelaxDoc) and relaxed.converged, relaxed
    (folder,) = tmp_path.glob("jobs/*/relax-*/")
    text = (folder / "pw.1.in").read_text()
    assert re.search(r"HUBBARD \(atomic\)|lda_plus_u +=", text)
    assert "grimme-d3" in text and re.search(r"K_POINTS automatic\n1 2 1 ", text)
    said = (folder / "pw.1.out").read_text()
    found = energies(said)
    assert len(found) == relaxed.cost.force_calls > 1
    assert relaxed.energy == pytest.approx(found[-1], abs=0.001)
    assert f"Program PWSCF v.{relaxed.engine.version} " in said
    last = said[said.rindex("Forces acting on atoms") :]
    forces = [row.split() for row in re.findall(r"atom +\d+ type +\d+ +force =([^\n]+)", last)[:7]]
    assert np.array(relaxed.forces) == pytest.approx(np.array(forces, dtype=float) * 25.7110, abs=0.002)
    sites = re.findall(r"magn *[:=] *(-?[\d.]+)", said)[-7:]
    assert relaxed.moments == pytest.approx([float(site) for site in sites], abs=0.002)
    assert 0.3 < sum(abs(moment) for moment in relaxed.moments or []) < 3


def test_a_band_of_it_has_the_energies_that_the_code_prints(tmp_path: Path) -> None:
    initial, final = map(as_relaxed, ends())
    maker = engine().neb(fmax=50.0, rough_fmax=50.0, max_steps=4, spring=1.0)
    band = compute(maker.make(initial, final, Start(method="linear", n_images=1)), tmp_path)
    assert isinstance(band, BandDoc) and band.converged, band
    (folder,) = tmp_path.glob("jobs/*/neb-*/")
    printed = [energies((folder / f"out/band_{image}/PW.out").read_text())[-1] for image in (1, 2, 3)]
    assert band.energies == pytest.approx(printed, abs=0.001)
    assert band.energies[0] == pytest.approx(band.energies[2], abs=0.02)  # the ends are mirror images but for the spins
    assert np.array(band.moments).shape == (3, 7) and np.abs(band.moments).max() > 0.1
