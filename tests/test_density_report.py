"""Tables, files and pictures of a density: what they hold, wherever the cell cuts the fragment."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from density_documents import SHAPE, VALENCE, made_up
from matplotlib.colors import to_rgb
from matplotlib.patches import Circle
from monty.json import MontyDecoder, MontyEncoder
from pymatgen.core import Lattice, Structure
from readable import assert_readable

from barriers.engines.density import DensityDoc
from barriers.engines.volumetric import read_volumetric, write_volumetric
from barriers.files.density import charges_csv, charges_json, read_density
from barriers.report.density import write_density
from barriers.report.figures import draw_charges, draw_elf
from barriers.report.figures.charges import standing
from barriers.report.figures.density import (
    GAIN,
    LOSS,
    draw_difference,
    draw_planar_average,
)
from barriers.report.isosurface import rays_of, surface_seen

CUT = (0.45, 0.1, 0.55)
"""With this shift the cell's sides cut the fragment, and its top the slab from the fragment."""


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> DensityDoc:
    return made_up(tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> DensityDoc:
    return made_up(tmp_path_factory.mktemp("cut"), shift=CUT)


def test_numbers_do_not_depend_on_where_the_cell_cuts(document: DensityDoc, cut: DensityDoc) -> None:
    assert document.moved == pytest.approx(0.2, abs=2e-3)
    assert document.transferred == pytest.approx(0.2, abs=2e-3)
    assert (cut.moved, cut.transferred) == pytest.approx((document.moved, document.transferred), abs=2e-3)
    assert cut.bader.charges == pytest.approx(document.bader.charges, abs=0.03)
    pairs = zip(document.bonds, cut.bonds, strict=True)
    assert all(one.atoms == other.atoms and one.length == pytest.approx(other.length) for one, other in pairs)


def test_a_document_survives_json(document: DensityDoc) -> None:
    text = json.dumps(document, cls=MontyEncoder)
    again = json.loads(text, cls=MontyDecoder)
    assert again == document
    assert len(text) < 60_000  # no grid is in it


def test_the_table_has_a_row_for_each_atom(document: DensityDoc) -> None:
    rows = list(csv.DictReader(io.StringIO(charges_csv(document))))
    assert [row["element"] for row in rows] == [site.specie.symbol for site in document.structure]
    assert [row["part"] for row in rows] == ["slab"] * 12 + ["fragment"] * 6
    assert [float(row["bader"]) for row in rows] == document.bader.charges
    assert rows[0]["moment"] == ""
    content = json.loads(charges_json(document))
    assert content["atoms"][12]["lowdin"] == -0.2
    assert content["units"]["charge"] == "e" and content["transferred"] == document.transferred


def test_a_grid_is_read_by_its_name_with_the_documents_own_digits(document: DensityDoc) -> None:
    difference = read_density(document, "difference")
    assert difference.shape == SHAPE and difference.structure == document.structure
    assert np.abs(difference.values).sum() * difference.voxel / 2 == pytest.approx(document.moved, rel=1e-5)


def test_a_grid_that_is_not_there_or_another_is_refused(document: DensityDoc, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="grid: 'spin'; allowed: difference, elf"):
        read_density(document, "spin")
    with pytest.raises(ValueError, match=r"not here; copy it from the machine that computed it"):
        read_density(document, "elf", tmp_path)
    path = Path(document.grids[0].path)
    other = tmp_path / path.parent.name / path.name
    other.parent.mkdir()
    other.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(ValueError, match=r"another file than the document names \(difference, SHA-256 "):
        read_density(document, "difference", tmp_path)


@pytest.mark.parametrize("name", ["whole.cube", "CHGCAR"])
def test_files_hold_the_density_in_any_order_of_the_species(document: DensityDoc, tmp_path: Path, name: str) -> None:
    grid = read_density(document, "difference")
    write_volumetric(grid, tmp_path / name)
    again = read_volumetric(tmp_path / name)
    assert np.abs(again.values - grid.values).max() < 1e-6
    assert again.structure.composition == grid.structure.composition
    assert not list(tmp_path.glob("*.part"))
    text = (tmp_path / name).read_text()
    (tmp_path / name).write_text(text[: len(text) // 2])
    with pytest.raises(ValueError, match="not a whole file with a density on a grid"):
        read_volumetric(tmp_path / name)


def test_the_fragment_is_drawn_in_one_piece_above_the_slab(cut: DensityDoc, document: DensityDoc) -> None:
    assert np.ptp(cut.structure.cart_coords[12:], axis=0).max() > 4  # the cell cuts it
    upright, straight = standing(cut.structure, 12), standing(document.structure, 12)
    assert np.ptp(upright.cart_coords[12:], axis=0) == pytest.approx(np.ptp(straight.cart_coords[12:], axis=0))
    assert upright.cart_coords[12:, 2].min() > upright.cart_coords[:12, 2].max()


def test_the_surfaces_of_two_gaussians_are_discs_of_the_right_size_at_the_right_place(document: DensityDoc) -> None:
    """A Gaussian of q = 0.2 e and σ = 0.4 Å falls to a level at r = σ √(2 ln(peak / level))."""
    difference = read_density(document, "difference")
    structure = standing(document.structure, document.n_slab)
    peak, level = 0.2 / (2 * np.pi * 0.4**2) ** 1.5, 0.02
    radius = 0.4 * np.sqrt(2 * np.log(peak / level))
    for view, axis in (("side", 2), ("top", 1)):
        rays = rays_of(structure, view, (0.5, 9.0))
        seen = surface_seen(difference, level, rays)
        rows, _ = np.nonzero(np.isfinite(seen.depth))
        left, right, low, high = seen.extent
        height = (high - low) / (seen.depth.shape[0] - 1)
        width = (right - left) / (seen.depth.shape[1] - 1)
        assert np.sqrt(len(rows) * height * width / np.pi) == pytest.approx(radius, rel=0.03)
        middle = low + rows.mean() * height
        if axis == 2:
            assert middle == pytest.approx(structure.cart_coords[12, 2], abs=0.03)
        light = seen.light[np.isfinite(seen.light)]
        assert light.max() == pytest.approx(1, abs=0.02) and light.min() < 0.6


def of_hue(pixels: np.ndarray, colour: str) -> np.ndarray:
    """Whether each pixel has a colour, whatever the light."""
    own = np.array(to_rgb(colour))
    return (np.abs(pixels / pixels.max(axis=1, keepdims=True) - own / own.max()) < 0.02).all(axis=1)


def test_pictures_show_what_gains_and_what_loses(cut: DensityDoc) -> None:
    difference = read_density(cut, "difference")
    side, top = draw_difference(cut, difference, 0.02)
    for axes in (side, top):
        (image,) = axes.images
        picture = np.asarray(image.get_array())
        shown = picture[picture[..., 3] > 0][:, :3]
        hues = {colour: int(of_hue(shown, colour).sum()) for colour in (GAIN, LOSS)}
        assert min(hues.values()) > 500 and sum(hues.values()) == len(shown)
    assert_readable(side.figure)
    with pytest.raises(ValueError, match=r"level: 9 e/Å³; allowed: above 0, up to the largest \|Δρ\|, 0\.\d"):
        draw_difference(cut, difference, 9)


def test_the_average_stands_beside_the_atoms_it_is_of(cut: DensityDoc) -> None:
    side, density, running = draw_planar_average(cut)
    assert side.get_ylim() == density.get_ylim() == running.get_ylim()
    (line,) = [line for line in density.lines if len(line.get_xdata()) > 10]
    highest = line.get_ydata()[np.argmax(line.get_xdata())]
    assert highest == pytest.approx(standing(cut.structure, 12).cart_coords[12, 2], abs=0.15)
    (below,) = [line for line in running.lines if len(line.get_xdata()) > 10]
    assert min(below.get_xdata()) == pytest.approx(-0.2, abs=3e-3)
    assert_readable(side.figure)
    with pytest.raises(ValueError, match="computed in one piece"):
        draw_planar_average(cut.model_copy(update={"difference": None}))


def test_atoms_have_the_colours_of_their_charges(document: DensityDoc) -> None:
    side, _ = draw_charges(document, "lowdin")
    faces = [patch.get_facecolor() for patch in side.patches if isinstance(patch, Circle)]
    assert len(faces) == 18
    reddish = [face for face in faces if face[0] - face[2] > 0.25]
    bluish = [face for face in faces if face[2] - face[0] > 0.3]
    assert len(reddish) == len(bluish) == 1
    with pytest.raises(ValueError, match="lowdin: the document has no such charges"):
        draw_charges(document.model_copy(update={"lowdin": None}), "lowdin")


def test_a_crystal_has_a_table_but_no_picture(
    document: DensityDoc, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen from the side and from the top a primitive cell shows half of its atoms."""
    half = 2.31
    cell = Lattice([[0, half, half], [half, 0, half], [half, half, 0]])
    crystal = Structure(cell, ["Li", "Li", "O"], [[0.25] * 3, [0.75] * 3, [0] * 3])
    of_crystal = document.model_copy(
        update={"structure": crystal, "n_slab": None, "difference": None, "bonds": [], "lowdin": None}
    )
    with pytest.raises(ValueError, match=r"Li2 O1: no slab, .* allowed: a vacuum of 6 Å along the third cell vector"):
        draw_charges(of_crystal)
    written = write_density(of_crystal, tmp_path)
    assert [path.name for path in written] == ["charges.csv", "charges.json"]
    assert charges_csv(of_crystal).count("\n") == 4


def test_the_cut_through_a_bond_names_its_atoms(cut: DensityDoc) -> None:
    axes = draw_elf(read_density(cut, "elf"), 12, 13)
    named = {text.get_text(): text.xy for text in axes.texts}
    assert named["C"] == pytest.approx((0.66, 0), abs=1e-3)
    (image,) = axes.images
    values = np.asarray(image.get_array())
    assert np.unravel_index(values.argmax(), values.shape)[0] == pytest.approx(len(values) / 2, abs=3)


def test_everything_is_written_to_one_folder(
    document: DensityDoc, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("barriers.report.style.FORMATS", ("svg",))
    written = {path.name for path in write_density(document, tmp_path / "density")}
    stems = {"bader", "lowdin", "planar-average", "difference", "elf-C12-C13"}
    assert written == {"charges.csv", "charges.json"} | {f"{stem}.svg" for stem in stems}
    assert {path.name for path in (tmp_path / "density").iterdir()} == written


def test_the_valence_that_is_missing_is_said(document: DensityDoc) -> None:
    assert sum(VALENCE[site.specie.symbol] for site in document.structure) == pytest.approx(
        document.electrons, abs=0.01
    )
    assert not any("integrates" in line for line in document.warnings)
