"""Bands in files of ASE: found by what is in them, never by time stamp or alphabet."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.constraints import FixAtoms, FixedLine, FixedPlane, FixScaled
from ase.io import write
from refused import read, refusal
from vasp_bands import frames, save
from written_bands import Band, a_hop

from barriers.parsing import find_band, parse_folder
from barriers.parsing.found import SeveralBandsError

HOP = a_hop()
OTHER = replace(HOP, energies=-100.0 + 2 * (HOP.energies + 100.0), forces=2 * HOP.forces)


def relaxation(end: int, steps: int = 4, band: Band = HOP) -> list[Atoms]:
    """Frames in which an endpoint comes down to where the band has it."""
    found = []
    for step in range(steps - 1, -1, -1):
        atoms = frames(band)[end]
        atoms.positions[3, 1] += 0.02 * step
        energy = float(band.energies[end]) + 0.5 * 4.0 * (0.02 * step) ** 2
        forces = band.forces[end].copy()
        forces[3, 1] -= 4.0 * 0.02 * step
        atoms.calc = SinglePointCalculator(atoms, energy=energy, forces=forces)
        found.append(atoms)
    return found


def named(names: str, folder: Path, band: Band = HOP) -> Path:
    return save(folder, **dict(zip(names.split(), frames(band), strict=True)))


@pytest.mark.parametrize(
    "names",
    [
        "reactant neb_1 neb_2 neb_3 product",
        "reactant image9 image10 image11 product",
        "initial a b c final",
        "IS 1 2 3 FS",
        "start 01 02 03 end",
        "0 1 2 3 4",
        "image8 image9 image10 image11 image12",
        "neb_00 neb_10 neb_20 neb_30 neb_40",
        "relaxed_initial b1 b2 b3 relaxed_final",
    ],
)
def test_the_order_of_files_is_found(names: str, tmp_path: Path) -> None:
    barrier = read(named(names, tmp_path))
    assert barrier.forward == pytest.approx(HOP.forward, abs=5e-3)
    assert barrier.reverse == pytest.approx(HOP.forward - 0.1, abs=5e-3)
    order = [Path(file).stem for (file,) in barrier.band.read.files]
    assert order == names.split()
    assert f"order of images, found from the geometry: {order[0]}.extxyz, " in barrier.warnings[-2]


def test_numbers_that_are_not_along_the_path_are_put_in_order_and_said(tmp_path: Path) -> None:
    barrier = read(named("reactant neb_2 neb_3 neb_1 product", tmp_path))
    assert barrier.forward == pytest.approx(HOP.forward, abs=5e-3)
    assert "reactant.extxyz, neb_2.extxyz, neb_3.extxyz, neb_1.extxyz, product.extxyz" in " ".join(barrier.warnings)


def test_names_of_endpoints_that_are_within_the_path_are_refused(tmp_path: Path) -> None:
    assert "initial.extxyz is called an endpoint, but lies within the path" in refusal(
        named("a initial b c d", tmp_path)
    )


def test_exchanged_names_of_endpoints_turn_the_path_round(tmp_path: Path) -> None:
    barrier = read(named("final neb_1 neb_2 neb_3 initial", tmp_path))
    assert barrier.reverse == pytest.approx(HOP.forward, abs=5e-3)
    assert Path(barrier.band.read.files[0][0]).stem == "initial"


@pytest.mark.parametrize(("gone", "words"), [(3, "files are missing: neb_3"), (0, "missing"), (6, "missing")])
def test_a_file_that_is_missing_is_noticed(gone: int, words: str, tmp_path: Path) -> None:
    folder = named(" ".join(f"neb_{n}" for n in range(7)), tmp_path, a_hop(7))
    (folder / f"neb_{gone}.extxyz").unlink()
    assert words in refusal(folder)


def test_a_file_that_is_there_twice_is_named(tmp_path: Path) -> None:
    folder = named("neb_0 neb_1 neb_2 neb_3 neb_4", tmp_path)
    write(folder / "neb_2 (copy).extxyz", frames(HOP)[2])
    assert "neb_2 (copy).extxyz and neb_2.extxyz are the same structure" in refusal(folder)


def test_a_file_of_other_atoms_is_named(tmp_path: Path) -> None:
    folder = named("neb_0 neb_1 neb_2 neb_3 neb_4", tmp_path)
    write(folder / "bulk.extxyz", Atoms("Cu", cell=[3, 3, 3], pbc=True))
    assert "images of different atoms" in refusal(folder)


@pytest.mark.parametrize(
    "stamp", [["neb", "initial", "final"], ["final", "neb", "initial"], ["initial", "final", "neb"]]
)
def test_relaxations_beside_a_band_are_not_taken_for_it(stamp: list[str], tmp_path: Path) -> None:
    save(tmp_path, neb=frames(HOP), initial=relaxation(0), final=relaxation(-1))
    for number, name in enumerate(stamp):
        os.utime(tmp_path / f"{name}.extxyz", (number, number))
    barrier = read(tmp_path)
    assert barrier.forward == pytest.approx(HOP.forward, abs=5e-3)
    assert barrier.band.read.files == [[str(tmp_path / "neb.extxyz")]] * 5


def test_two_bands_are_asked_for_by_name(tmp_path: Path) -> None:
    save(tmp_path, bare=frames(HOP), coated=frames(OTHER))
    with pytest.raises(SeveralBandsError, match=r"several bands: bare.extxyz, coated.extxyz; choose one with --band"):
        parse_folder(tmp_path)
    assert read(tmp_path, band="coated.extxyz").forward == pytest.approx(OTHER.forward, abs=1e-2)
    assert read(tmp_path, band="bare.extxyz").forward == pytest.approx(HOP.forward, abs=5e-3)
    assert read(tmp_path / "coated.extxyz").forward == pytest.approx(OTHER.forward, abs=1e-2)
    assert "no NEB here that is called neb" in refusal(tmp_path, band="neb")


def test_a_band_beside_the_files_of_another_is_asked_for(tmp_path: Path) -> None:
    named("0 1 2 3 4", tmp_path)
    save(tmp_path, all=frames(OTHER))
    assert "several bands: all.extxyz, images; choose one with --band NAME" in refusal(tmp_path)
    assert read(tmp_path, band="images").forward == pytest.approx(HOP.forward, abs=5e-3)
    assert read(tmp_path, band="all.extxyz").forward == pytest.approx(OTHER.forward, abs=1e-2)


def test_a_trajectory_for_each_image_is_a_band_of_last_frames(tmp_path: Path) -> None:
    def history(image: int) -> list[Atoms]:
        found = []
        for step in (3, 2, 1, 0):
            atoms = frames(HOP)[image]
            atoms.positions[3, 1] += 0.02 * step
            atoms.calc = SinglePointCalculator(
                atoms, energy=float(HOP.energies[image]) + 0.1 * step, forces=HOP.forces[image]
            )
            found.append(atoms)
        return found

    inner = {f"neb{n}": history(n) for n in (1, 2, 3)}
    save(tmp_path, neb0=frames(HOP)[0], neb4=frames(HOP)[4], **inner)
    barrier = read(tmp_path)
    assert barrier.forward == pytest.approx(HOP.forward, abs=5e-3)
    assert barrier.band.energies == pytest.approx(HOP.energies)


def test_the_last_whole_iteration_counts_and_runs_may_differ_in_images(tmp_path: Path) -> None:
    first = frames(replace(HOP, energies=HOP.energies + 0.5 * np.array([0, 1, 1, 1, 0])))
    save(tmp_path / "cut", neb=[*first, *frames(HOP), *first[:3]])
    barrier = read(tmp_path / "cut")
    assert barrier.forward == pytest.approx(HOP.forward, abs=5e-3)
    assert "the last whole iteration of 13 frames was read" in " ".join(barrier.warnings)
    save(tmp_path / "appended", neb=[*first, *frames(a_hop(7))])
    assert len(find_band(tmp_path / "appended").images) == 7


@pytest.mark.parametrize(("ending", "pack"), [(".gz", gzip), (".bz2", bz2), (".xz", lzma)])
def test_compressed_trajectories_are_read(ending: str, pack: object, tmp_path: Path) -> None:
    save(tmp_path, neb=frames(HOP))
    path = tmp_path / "neb.extxyz"
    path.with_name(f"neb.extxyz{ending}").write_bytes(pack.compress(path.read_bytes()))
    path.unlink()
    assert read(tmp_path).forward == pytest.approx(HOP.forward, abs=5e-3)


def test_free_energies_are_taken_where_all_images_have_them(tmp_path: Path) -> None:
    smeared = []
    for atoms, image in zip(frames(HOP), range(5), strict=True):
        zero = float(HOP.energies[image]) + 0.02 * image
        results = {"energy": zero, "free_energy": float(HOP.energies[image]), "forces": HOP.forces[image]}
        atoms.calc = SinglePointCalculator(atoms, **results)
        smeared.append(atoms)
    write(tmp_path / "neb.traj", smeared)
    barrier = read(tmp_path)
    assert barrier.band.energies == pytest.approx(HOP.energies, abs=1e-9)
    assert barrier.band.read.energy == "free energy F"
    del smeared[2].calc.results["free_energy"]
    write(tmp_path / "neb.traj", smeared)
    mixed = read(tmp_path)
    assert mixed.band.energies == pytest.approx(HOP.energies + 0.02 * np.arange(5), abs=1e-9)
    assert mixed.band.read.energy == "total energy"


UNITS = {
    "Hartree beside": (
        lambda band: replace(band, energies=band.energies / 27.2114),
        "energies look like Hartree beside",
    ),
    "kcal/mol": (
        lambda band: replace(band, energies=band.energies * 23.06),
        "energies look like kcal/mol beside forces",
    ),
    "kJ/mol": (lambda band: replace(band, energies=band.energies * 96.485), "energies look like kJ/mol beside forces"),
    "Ha/bohr": (lambda band: replace(band, forces=band.forces / 51.422), "forces look like Hartree/bohr beside"),
    "gradients": (lambda band: replace(band, forces=-band.forces), "forces have the sign of gradients"),
    "atomic": (
        lambda band: replace(band, energies=band.energies / 27.2114, forces=band.forces / 51.422),
        "look like Hartree and Hartree/bohr beside positions in Å",
    ),
}


@pytest.mark.parametrize("images", [5, 7])
@pytest.mark.parametrize("unit", UNITS)
def test_mixed_units_and_signs_are_recognised(unit: str, images: int, tmp_path: Path) -> None:
    change, words = UNITS[unit]
    save(tmp_path, neb=frames(change(a_hop(7 if unit == "atomic" else images))))
    assert words in refusal(tmp_path)


def test_heights_that_no_hop_has_are_warned_of(tmp_path: Path) -> None:
    save(tmp_path, neb=frames(replace(HOP, energies=23.06 * HOP.energies, forces=23.06 * HOP.forces)))
    warnings = read(tmp_path).warnings
    assert "energies span 11.53 eV: no hop has that" in warnings[0]


def test_free_energies_in_some_images_alone_are_warned_of(tmp_path: Path) -> None:
    images = frames(HOP)
    for image in (images[0], images[-1]):
        known = image.calc.results
        image.calc = SinglePointCalculator(
            image, energy=known["energy"] + 0.04, free_energy=known["energy"], forces=known["forces"]
        )
    warnings = " ".join(read(save(tmp_path, neb=images)).warnings)
    assert "energies of images 1, 2, 3 do not say whether they are free energies F" in warnings
    assert "differ by up to 0.0400 eV" in warnings


def test_images_of_two_calculators_are_warned_of(tmp_path: Path) -> None:
    images = frames(HOP)
    for number, image in enumerate(images):
        image.calc.name = "vasp" if 0 < number < 4 else "chgnet"
    write(tmp_path / "neb.traj", images)
    warnings = " ".join(read(tmp_path).warnings)
    assert "calculator differs: chgnet in image 0, 4; vasp in image 1, 2, 3" in warnings


def test_images_alone_are_warned_to_lack_their_endpoints(tmp_path: Path) -> None:
    warnings = " ".join(read(save(tmp_path, neb=frames(a_hop(7))[1:-1])).warnings)
    assert warnings.count("and the energy falls beyond it: is the endpoint itself missing?") == 2


@pytest.mark.parametrize("silent", [(), (0, 6)])
def test_spin_flips_are_found_among_the_images_that_tell_moments(silent: tuple[int, ...], tmp_path: Path) -> None:
    images = frames(a_hop(7))
    for number, image in enumerate(images):
        if number not in silent:
            image.calc.results["magmoms"] = np.array([0, -1.8 if number == 3 else 1.8, 0, 0])
    warnings = " ".join(read(save(tmp_path, neb=images)).warnings)
    assert warnings.count("magnetic moments jump between images 2 and 3: atom 1 from 1.80 to -1.80 µB") == 1
    assert warnings.count("magnetic moments jump") == 2


def test_forces_that_nobody_wrote_give_no_barrier(tmp_path: Path) -> None:
    images = frames(HOP)
    for atoms, energy in zip(images, HOP.energies, strict=True):
        atoms.calc = SinglePointCalculator(atoms, energy=float(energy))
    save(tmp_path, neb=images)
    assert "the force across the path is not known: nothing says that the band is converged" in refusal(tmp_path)


def test_an_endpoint_with_its_energy_alone_is_taken_as_relaxed(tmp_path: Path) -> None:
    images = frames(HOP)
    images[0].calc = SinglePointCalculator(images[0], energy=float(HOP.energies[0]))
    save(tmp_path, neb=images)
    barrier = read(tmp_path)
    assert barrier.forward == pytest.approx(HOP.forward, abs=2e-2)
    assert "forces of the initial endpoint are not known and were taken as zero" in barrier.warnings[0]


def test_trajectories_of_images_and_of_relaxed_endpoints_are_one_band(tmp_path: Path) -> None:
    def history(image: int) -> list[Atoms]:
        first = frames(HOP)[image]
        first.positions[3, 1] += 0.04
        first.calc = SinglePointCalculator(first, energy=float(HOP.energies[image]) + 0.1, forces=HOP.forces[image])
        return [first, first, frames(HOP)[image]]

    inner = {f"neb_{n}": history(n) for n in (1, 2, 3)}
    save(tmp_path, initial=relaxation(0), final=relaxation(-1), **inner)
    assert read(tmp_path).band.energies == pytest.approx(HOP.energies)


PARTLY: dict[str, Callable[[], object]] = {
    "plane": lambda: FixedPlane([1], (0, 0, 1)),
    "scaled": lambda: FixScaled([1], (False, False, True)),
}


@pytest.mark.parametrize("kind", PARTLY)
def test_atoms_in_a_plane_count_along_it(kind: str, tmp_path: Path) -> None:
    band = replace(HOP, cell=np.diag([6.0, 5.0, 7.0]))
    for name, push, fine in (("across", (0, 0, 2.0), True), ("along", (0.3, 0, 0), False)):
        forces = band.forces.copy()
        forces[:, 1] = push
        images = frames(replace(band, forces=forces))
        for atoms in images:
            atoms.set_constraint([FixAtoms([0]), PARTLY[kind]()])
        (tmp_path / name).mkdir()
        write(tmp_path / name / "neb.traj", images)
        assert read(tmp_path / name).converged == fine
    free = find_band(tmp_path / "along").images[0].free
    assert free[:2].tolist() == [[False] * 3, [True, True, False]]
    assert free[2:].all()


def test_a_line_that_no_lattice_vector_is_is_refused(tmp_path: Path) -> None:
    images = frames(HOP)
    for atoms in images:
        atoms.set_constraint([FixedLine([1], (1, 1, 1))])
    write(tmp_path / "neb.traj", images)
    assert "atom 1 may move in a plane or on a line that no lattice vectors span" in refusal(tmp_path)
