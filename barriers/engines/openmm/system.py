"""A box as OpenMM takes it: its files, hydrogen made heavy, and the platform that it runs on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from barriers.distribution import install
from barriers.engines.mlip.pool import available_cores

if TYPE_CHECKING:
    from openmm import Context, System

    from barriers.engines.openmm.protocol import Protocol

HYDROGEN, HEAVY = 1.2, 3.0
"""A mass below the first (u) is hydrogen's own, which becomes the second at the cost of its partner."""

PLATFORMS = ("CUDA", "HIP", "OpenCL", "CPU", "Reference")
"""From the fastest on."""

BOX, SYSTEM = "box.pdb", "system.xml"
"""Files of a box: where its atoms are, and the forces on them."""


def openmm() -> Any:
    """Load OpenMM.

    Raises
    ------
    ValueError
        One line, if it is not installed.
    """
    try:
        import openmm as found
    except ImportError as missing:
        raise ValueError(f"molecular dynamics needs the package 'openmm'; {install('md')}") from missing
    return found


def read_box(folder: Path) -> tuple[np.ndarray, np.ndarray, System]:
    """Read a box's files.

    Returns
    -------
    (N, 3), (3, 3), System
        Positions and box vectors (nm), and the system with heavy hydrogen.

    Raises
    ------
    ValueError
        One line, if a file is missing, or the two do not go together.
    """
    mm = openmm()
    from openmm import app, unit

    for name in (BOX, SYSTEM):
        if not (folder / name).is_file():
            raise ValueError(f"{folder / name}: no such file; allowed: a box, of {BOX} and {SYSTEM}")
    pdb = app.PDBFile(str(folder / BOX))
    system = mm.XmlSerializer.deserialize((folder / SYSTEM).read_text("utf-8"))
    positions = np.array(pdb.getPositions(asNumpy=True).value_in_unit(unit.nanometer))
    if len(positions) != system.getNumParticles():
        there = f"{len(positions)} atoms, {SYSTEM} beside it {system.getNumParticles()}"
        raise ValueError(f"{folder / BOX}: {there}; allowed: the same")
    vectors = pdb.topology.getPeriodicBoxVectors()
    if vectors is None or not system.usesPeriodicBoundaryConditions():
        raise ValueError(f"{folder}: no periodic box; allowed: CRYST1 in {BOX}, periodic forces in {SYSTEM}")
    make_heavy(system)
    return positions, np.array(vectors.value_in_unit(unit.nanometer)), system


def make_heavy(system: System) -> None:
    """Give hydrogens whose bond is fixed a mass of 3 u, taken from the atom that they are bound to."""
    from openmm import unit

    for number in range(system.getNumConstraints()):
        one, other, _ = system.getConstraintParameters(number)
        masses = [system.getParticleMass(each).value_in_unit(unit.dalton) for each in (one, other)]
        (light, small), (heavy, large) = sorted(zip((one, other), masses, strict=True), key=lambda each: each[1])
        if 0 < small < HYDROGEN < large:
            system.setParticleMass(light, HEAVY)
            system.setParticleMass(heavy, large - (HEAVY - small))


def masses_of(system: System) -> np.ndarray:
    """Masses of all particles (u), (N,)."""
    from openmm import unit

    return np.array([system.getParticleMass(i).value_in_unit(unit.dalton) for i in range(system.getNumParticles())])


def make_context(
    system: System, protocol: Protocol, temperature: float, friction: float, timestep: float, seed: int
) -> Context:
    """Make what integrates a system, on the fastest platform that works here.

    Parameters
    ----------
    system : System
        With a barostat or without.
    protocol : Protocol
        Says whether bytes have to be reproducible.
    temperature, friction, timestep : float
        In K, 1/ps and fs.
    seed : int
        Of this stretch of the run: another for each, the same if it runs again.
    """
    mm = openmm()
    there = {mm.Platform.getPlatform(each).getName() for each in range(mm.Platform.getNumPlatforms())}
    usable = [name for name in PLATFORMS if name in there and not (protocol.reproducible and name not in PLATFORMS[3:])]
    for force in system.getForces():
        if hasattr(force, "setRandomNumberSeed"):
            force.setRandomNumberSeed(1 + seed)
    for name in usable:
        integrator = mm.LangevinMiddleIntegrator(temperature, friction, timestep * 1e-3)
        integrator.setRandomNumberSeed(1 + seed)  # 0 would be a seed by the clock
        integrator.setConstraintTolerance(1e-6)
        try:
            context = mm.Context(system, integrator, mm.Platform.getPlatformByName(name), _properties(name, protocol))
        except mm.OpenMMException:
            if name == usable[-1]:
                raise
            continue  # a build for cards that this machine does not have
        return context
    raise RuntimeError("openmm: none of its platforms is here; its installation is not whole")


def _properties(platform: str, protocol: Protocol) -> dict[str, str]:
    if platform == "CPU":
        threads = 1 if protocol.reproducible else available_cores()
        return {"Threads": str(threads), "DeterministicForces": str(protocol.reproducible).lower()}
    return {"Precision": "mixed"} if platform in PLATFORMS[:3] else {}
