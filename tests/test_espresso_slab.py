"""A slab of NCM811 with a PVDF fragment: all eight elements, spin, U, D3 and dipole correction, taken by the codes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from espresso_cases import need_qe
from pymatgen.core import Structure

from barriers.engines.common import atoms_of
from barriers.engines.dft import starting_moments
from barriers.engines.espresso import EspressoEngine
from barriers.engines.espresso.attempts import CodeJob
from barriers.engines.espresso.inputs import neb_input, path_namelist, pw_input
from barriers.structures.interface.placement import place_at_distance
from barriers.structures.path.interpolate import interpolate
from barriers.structures.polymer.fragment import build_fragment
from barriers.study.models import CathodeSection, SurfaceSection
from barriers.workflow.slab_and_hops import build_slab, crystal_of

pytestmark = [pytest.mark.qe, pytest.mark.slow]

ELEMENTS = ["Li", "Ni", "Co", "Mn", "O", "C", "H", "F"]


@pytest.fixture
def engine() -> EspressoEngine:
    """The slab preset as it is, but for low cutoffs and a stop after the first SCF iteration."""
    need_qe()
    chosen = EspressoEngine(kspacing=5.0, keywords={"ecutwfc": 20.0, "ecutrho": 160.0, "electron_maxstep": 1})
    try:
        chosen.check(ELEMENTS)
    except ValueError as error:
        hint = "download quantum-espresso-data-sssp (Debian trixie), unpack it with dpkg-deb -x, set ESPRESSO_PSEUDO"
        assert not os.environ.get("CI"), f"{error}; {hint}"
        pytest.skip(f"needs the SSSP set: {error}")
    return chosen


@pytest.fixture(scope="module")
def interface() -> Structure:
    cathode = CathodeSection(tolerance=0.5)
    surface = SurfaceSection(layers=3, frozen_layers=1, min_lengths=(5.0, 5.0), vacuum=8.0)
    slab = build_slab(crystal_of(cathode), cathode, surface).structure
    slab.replace(slab.indices_from_symbol("Ni")[0], "Mn", properties=slab[slab.indices_from_symbol("Ni")[0]].properties)
    above = slab.cart_coords.max(axis=0).tolist()
    structure = place_at_distance(slab, build_fragment("PVDF", 1, None), above, 3.0, 8.0, 1)[0]
    assert {site.specie.symbol for site in structure} == set(ELEMENTS)
    return structure


def test_the_first_scf_iteration_of_pw(engine: EspressoEngine, interface: Structure, tmp_path: Path) -> None:
    maker = engine.static()
    moments = starting_moments(interface, maker.case(interface).settings["moments"])
    job = CodeJob(
        "pw",
        maker.case(interface),
        tmp_path,
        maker.command.pw,
        lambda case: pw_input(case, atoms_of(interface), moments, "scf", 1.0, 1),
    )
    job.setup()
    assert job.run().wait() == 2  # that is: SCF not converged
    text = (tmp_path / "pw.1.out").read_text()
    assert "iteration #  1" in text and "estimated scf accuracy" in text
    assert ("LDA+U" in text or "Hubbard" in text) and "DFT-D3" in text
    fault = job.fault()
    assert fault is not None and fault[0].kind == "scf"


def test_the_first_scf_iteration_of_neb(engine: EspressoEngine, interface: Structure, tmp_path: Path) -> None:
    moved = atoms_of(interface)
    lithium = next(i for i, site in enumerate(interface) if site.specie.symbol == "Li" and site.selective_dynamics[0])
    moved.positions[lithium, 0] += 0.2
    maker = engine.neb(fmax=0.1, rough_fmax=0.3, max_steps=1, spring=1.0)
    images = interpolate(atoms_of(interface), moved, 1, "linear")
    path = path_namelist(climbing=False, fmax=0.3, spring=1.0, steps=1, restart=False)
    moments = starting_moments(interface, maker.case(interface).settings["moments"])
    job = CodeJob(
        "neb",
        maker.case(interface),
        tmp_path,
        lambda file: maker.command.neb(1, file),
        lambda case: neb_input(case, images, moments, path),
    )
    job.setup()
    assert job.run().wait() == 1
    text = (tmp_path / "out" / "band_1" / "PW.out").read_text()
    assert "iteration #  1" in text and "convergence NOT achieved after   1" in text
    assert "LDA+U" in text or "Hubbard" in text
    assert "scf convergence NOT achieved on image" in (tmp_path / "neb.1.out").read_text()
