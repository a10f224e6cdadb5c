"""Trajectories from files: what readers get wrong, and that it is kept from results; and the command."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.io import write
from conftest import Outcome
from trajectories import box, walk

from barriers.files.trajectory import read_trajectory

SIDE = 12.0
FRAMES = 30


def made() -> np.ndarray:
    """Paths of two lithium and two fluorine atoms, unwrapped (Å)."""
    return np.array([[1.0, 1, 1], [4, 4, 4], [7, 7, 7], [10, 10, 10]]) + walk(0, FRAMES, 4, 0.5)


def dump(path: Path, columns: str, start: int = 0, every: int = 1000) -> Path:
    """A LAMMPS dump whose atoms are in another order in each frame, with an origin that is not zero."""
    frames = []
    for number, positions in enumerate(made()):
        lines = ["ITEM: TIMESTEP", str(start + number * every), "ITEM: NUMBER OF ATOMS", "4"]
        lines += ["ITEM: BOX BOUNDS pp pp pp", *["-6 6"] * 3, f"ITEM: ATOMS id element {columns}"]
        for atom in np.random.default_rng(number).permutation(4):
            free = positions[atom] - 6
            wrapped = (free + 6) % SIDE - 6
            values = {"x y z": wrapped, "xu yu zu": free, "x y z xu yu zu": np.concatenate([wrapped, free])}[columns]
            lines.append(f"{atom + 1} {'Li' if atom < 2 else 'F'} " + " ".join(f"{value:.6f}" for value in values))
        frames += lines
    path.write_text("\n".join(frames) + "\n", "utf-8")
    return path


def xyz(path: Path, side: float = SIDE) -> Path:
    images = [Atoms("Li2F2", positions=each % side, cell=[side] * 3, pbc=True) for each in made()]
    write(path, images, format="extxyz")
    return path


@pytest.mark.parametrize("columns", ["x y z", "xu yu zu", "x y z xu yu zu"])
def test_lammps_dumps_have_times_as_told_and_unwrapped_columns_where_they_are(tmp_path: Path, columns: str) -> None:
    mdanalysis = pytest.importorskip("MDAnalysis")
    path = dump(tmp_path / "a.lammpstrj", columns)
    raw = mdanalysis.Universe(str(path), format="LAMMPSDUMP", topology_format="LAMMPSDUMP")
    assert [raw.trajectory[number].time for number in (0, 1)] == [0.0, 1000.0]  # steps, taken for ps
    if columns == "x y z xu yu zu":  # read by itself it takes the wrapped ones
        wrapped = np.array([frame.positions.copy() for frame in raw.trajectory])
        assert abs(np.diff(wrapped, axis=0)).max() > SIDE / 2
    found = read_trajectory(path, timestep=2.0)
    assert found.step == pytest.approx(2.0)
    assert found.unwrapped == ("xu" in columns)
    assert found.species == ("Li", "Li", "F", "F")
    moved = found.positions - made()
    if found.unwrapped:
        np.testing.assert_allclose(moved - moved[0, 0], 0.0, atol=1e-4)
    else:
        np.testing.assert_allclose((moved - moved[0, 0] + 1) % SIDE, 1.0, atol=1e-4)
    with pytest.raises(ValueError, match=r"timestep: a\.lammpstrj holds no times"):
        read_trajectory(path)


@pytest.mark.parametrize("ending", ["xtc", "dcd"])
def test_binary_formats_need_a_topology_and_leave_nothing_beside_them(tmp_path: Path, ending: str) -> None:
    mdanalysis = pytest.importorskip("MDAnalysis")
    topology, path = tmp_path / "a.pdb", tmp_path / f"a.{ending}"
    write(topology, Atoms("Li2F2", positions=made()[0], cell=[SIDE] * 3, pbc=True), format="proteindatabank")
    universe = mdanalysis.Universe.empty(4, trajectory=True)
    universe.dimensions = [SIDE] * 3 + [90.0] * 3
    with mdanalysis.Writer(str(path), 4, dt=5.0) as writer:
        for number, positions in enumerate(made()):
            universe.atoms.positions, universe.trajectory.ts.frame = positions, number
            universe.trajectory.ts.time = 5.0 * number
            writer.write(universe.atoms)
    told = None if ending == "xtc" else 2.5
    found = read_trajectory(path, topology, told)
    assert found.step == pytest.approx(told or 5.0, rel=1e-5)  # a DCD's own unit of time depends on who wrote it
    assert {each.name for each in tmp_path.iterdir()} == {"a.pdb", path.name}
    np.testing.assert_allclose(found.positions, made(), atol=0.01)
    with pytest.raises(ValueError, match="holds no elements"):
        read_trajectory(path)
    with pytest.raises(ValueError, match=r"timestep: (3 ps, a\.xtc says 5 ps|a\.dcd holds no times)"):
        read_trajectory(path, topology, 3.0 if ending == "xtc" else None)


def test_names_are_not_taken_for_elements(tmp_path: Path) -> None:
    """MDAnalysis takes CA for carbon, even where it is calcium; GRO files have nothing but names."""
    mdanalysis = pytest.importorskip("MDAnalysis")
    topology, path = tmp_path / "a.gro", tmp_path / "a.xtc"
    lines = [f"    1CA      CA{number:5d}{0.1 * number:8.3f}{0.1:8.3f}{0.1:8.3f}" for number in range(1, 5)]
    topology.write_text("\n".join(["t", "4", *lines, "   1.2   1.2   1.2"]) + "\n", "utf-8")
    assert set(mdanalysis.Universe(str(topology)).atoms.types) == {"C"}
    with mdanalysis.Writer(str(path), 4) as writer:
        writer.write(mdanalysis.Universe(str(topology)).atoms)
    with pytest.raises(ValueError, match="neither elements nor masses"):
        read_trajectory(path, topology)


def test_extended_xyz_needs_the_time_between_frames(tmp_path: Path) -> None:
    found = read_trajectory(xyz(tmp_path / "a.xyz"), timestep=0.5)
    assert (found.step, found.species) == (0.5, ("Li", "Li", "F", "F"))
    assert len(set(found.molecules.tolist())) == 4
    for bad, said in ((None, "holds no times"), (0.0, "allowed: above 0")):
        with pytest.raises(ValueError, match=said):
            read_trajectory(tmp_path / "a.xyz", timestep=bad)
    (tmp_path / "b.xyz").write_text("nothing\n", "utf-8")
    with pytest.raises(ValueError, match="cannot be read"):
        read_trajectory(tmp_path / "b.xyz", timestep=1.0)
    with pytest.raises(ValueError, match="no such file"):
        read_trajectory(tmp_path / "c.xyz", timestep=1.0)


def pairs_file(path: Path, seed: int = 0, step: float = 0.6) -> Path:
    """Twenty pairs of Li and F that move together, as extended XYZ."""
    start = np.random.default_rng(5).uniform(0, 30, (1, 20, 3))
    ions = start + walk(seed, 300, 20, step)
    paths = np.concatenate([ions, ions + np.array([1.9, 0, 0])], axis=1)
    cell = box(paths, ("Li",) * 20 + ("F",) * 20, side=30.0)
    write(path, [Atoms("Li20F20", positions=each, cell=[30] * 3, pbc=True) for each in cell.positions], format="extxyz")
    return path


def test_the_command_tells_writes_and_compares(tmp_path: Path, cli: Callable[..., Outcome]) -> None:
    common = ("--timestep", "2", "--temperature")
    told = cli("transport", pairs_file(tmp_path / "a.xyz"), *common, "400", "--to", tmp_path / "a")
    assert told.code == 0
    assert "it moves mostly with F⁻, not by hopping" in told.out
    names = {
        f"{name}.{ending}" for name in ("msd", "rdf", "pairing", "van_hove") for ending in ("csv", "png", "svg", "pdf")
    }
    assert {each.name for each in (tmp_path / "a").iterdir()} == names | {"transport.json"}
    assert (tmp_path / "a" / "msd.csv").read_text("utf-8").startswith("particles,lag,msd,msd_error,alpha\n")
    faster = pairs_file(tmp_path / "b.xyz", 1, 1.2)
    hot = json.loads(
        cli("transport", faster, *common, "500", "--beside", tmp_path / "a" / "transport.json", "--json").out
    )
    # D is four times as large: k ln 4 / (1/400 K - 1/500 K)
    assert hot["activation"]["energy"] == pytest.approx(8.617e-5 * np.log(4) * 2000, rel=0.4)
    beside = cli("transport", faster, *common, "400", "--beside", tmp_path / "a" / "transport.json")
    assert "that of Li 4" in beside.out or "that of Li 3" in beside.out or "that of Li 5" in beside.out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "timestep: a.xyz holds no times that can be trusted; allowed: --timestep, the ps from frame to frame"),
        (("--timestep", "1", "--ion", "Na"), "ion: 'Na' is not in a.xyz; allowed: Li"),
        (("--timestep", "1", "--topology", "x.pdb"), "topology: a.xyz names its own elements; allowed: none"),
    ],
)
def test_mistakes_are_told_in_one_line(
    tmp_path: Path, cli: Callable[..., Outcome], options: tuple[str, ...], said: str
) -> None:
    told = cli("transport", xyz(tmp_path / "a.xyz"), *options)
    assert (told.code, told.err) == (2, f"wrong input: {said}\n")
