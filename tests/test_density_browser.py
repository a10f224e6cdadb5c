"""The view of Δρ in a browser: it draws, its level changes picture and words, and it does without WebGL."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import chromium, complaints, differ, find, press, printed, requests, scheme, seen, settle, wait, with_shift
from density_documents import made_up
from made_up_study import made_up_study
from numpy.typing import NDArray

from barriers.documents import StudyDoc
from barriers.report.figures.density import LEVEL
from barriers.report.html.page import write_report
from barriers.workflow.beside_documents import electrons_rows

pytestmark = pytest.mark.browser

FIGURE = "figure[data-density]"
WIDTH, MOVED = 0.4, 0.2


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with chromium(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> StudyDoc:
    """Its density stands across the borders of the cell, and moves a Gaussian from a Li to a C."""
    document = made_up(tmp_path_factory.mktemp("grids"), MOVED, (0.6, 0.45, 0.83))
    rows = electrons_rows({"NCM@PVDF, relaxed: electrons": document})
    return made_up_study().model_copy(update={"electrons": rows})


@pytest.fixture(scope="module")
def page(study: StudyDoc, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(study, tmp_path_factory.mktemp("results"))


@pytest.fixture
def stage(browser: Any, page: Path) -> Any:
    """The view, drawn, on a page freshly loaded with light colours."""
    scheme(browser, "light")
    requests(browser), complaints(browser)
    browser.get(page.as_uri())
    return in_sight(browser)


def in_sight(driver: Any) -> Any:
    element = find(driver, f"{FIGURE} .stage")
    driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
    wait(lambda: element.find_elements("css selector", "canvas"))
    settle(element)
    return element


def now(driver: Any) -> str:
    return find(driver, f"{FIGURE} .now").text


def gains(pixels: NDArray[np.int_]) -> int:
    """Number of pixels as orange as the surface; Li is yellow, O pink."""
    red, green, blue = np.moveaxis(pixels, -1, 0)
    return int(((red - green > 20) & (green - blue > 35)).sum())


def loses(pixels: NDArray[np.int_]) -> int:
    """Number of pixels as blue as the other surface; F is green."""
    red, green, blue = np.moveaxis(pixels, -1, 0)
    return int(((blue - green > 10) & (blue - red > 50)).sum())


def test_both_surfaces_are_drawn_and_nobody_is_asked(browser: Any, stage: Any, page: Path) -> None:
    pixels = seen(stage)
    assert gains(pixels) > 1000 and loses(pixels) > 1000
    assert now(browser) == "Δρ = ±0.020 e/Å³ (0.0030 e/bohr³)"
    assert requests(browser) == [page.as_uri()]
    assert complaints(browser) == []


def test_a_surface_holds_the_volume_it_should_around_its_atom(browser: Any, stage: Any, study: StudyDoc) -> None:
    """Its triangles close it in a hexagonal cell, and it lies between the points of the grid."""
    gain, loss, atoms = browser.execute_script(
        "const { volume, scene } = panels.at(-1).viewer;"
        f"return [volume.surface({LEVEL}), volume.surface({-LEVEL}), scene.images[0]]"
    )
    peak = MOVED / (np.sqrt(2 * np.pi) * WIDTH) ** 3
    radius = WIDTH * np.sqrt(2 * np.log(peak / LEVEL))
    document = study.electrons[0].document
    assert document is not None and document.n_slab is not None
    for surface, atom in ((gain, document.n_slab), (loss, None)):
        vertices = np.array([[vertex[axis] for axis in "xyz"] for vertex in surface["vertexArr"]])
        corners = vertices[np.reshape(surface["faceArr"], (-1, 3))]
        enclosed = np.linalg.det(corners).sum() / 6
        assert abs(enclosed) == pytest.approx(4 / 3 * np.pi * radius**3, rel=0.04)
        middle = (vertices.max(axis=0) + vertices.min(axis=0)) / 2
        apart = np.linalg.norm(np.reshape(atoms, (-1, 3)) - middle, axis=1)
        assert apart.min() < 0.03
        assert int(apart.argmin()) == atom if atom is not None else int(apart.argmin()) < document.n_slab
        assert np.abs(np.linalg.norm(vertices - middle, axis=1) - radius).max() < 0.05


def test_the_slider_changes_picture_and_words(browser: Any, stage: Any) -> None:
    slider = find(browser, f"{FIGURE} input")
    before, words = settle(stage), now(browser)
    browser.execute_script(
        "arguments[0].value = Number(arguments[0].value) - 8; arguments[0].dispatchEvent(new Event('input'))", slider
    )
    wider = settle(stage)
    assert gains(wider) > 1.3 * gains(before)
    assert now(browser) == "Δρ = ±0.0032 e/Å³ (0.00047 e/bohr³)" != words
    assert slider.get_attribute("aria-valuetext") == now(browser)
    find(browser, f"{FIGURE} [data-does=on]").click()
    assert now(browser).startswith("Δρ = ±0.0040 e/Å³")
    assert differ(wider, settle(stage)) > 100


def test_atoms_take_the_colours_of_their_charges_and_give_them_back(browser: Any, stage: Any, study: StudyDoc) -> None:
    """What gained electrons is red, what lost them blue, with the scale beside it."""
    button, scale = find(browser, f"{FIGURE} [data-does=charges]"), find(browser, f"{FIGURE} .scale")
    by_element = settle(stage)
    assert not scale.is_displayed()
    button.click()
    assert differ(by_element, settle(stage)) > 500
    document = study.electrons[0].document
    assert document is not None
    most = max(np.abs(document.bader.charges))
    assert scale.is_displayed() and scale.text == f"Bader charge: −{most:.2f} e +{most:.2f} e"
    assert button.get_attribute("aria-pressed") == "true"
    look = "return panels.at(-1).viewer.viewer.getModel().selectedAtoms({}).map((atom) => atom.style.sphere.color)"
    colours = np.array([[int(colour[at : at + 2], 16) for at in (1, 3, 5)] for colour in browser.execute_script(look)])
    charges = np.array(document.bader.charges)
    charged = np.abs(charges) > 0.1 * most
    assert charged.sum() > 1
    assert (np.sign(colours[charged, 2] - colours[charged, 0]) == np.sign(charges[charged])).all()
    find(browser, f"{FIGURE} [data-does=on]").click()
    assert browser.execute_script(look)[0] == "#{:02x}{:02x}{:02x}".format(*colours[0]), "at other levels too"
    find(browser, f"{FIGURE} [data-does=back]").click()
    button.click()
    assert differ(by_element, settle(stage)) == 0 and not scale.is_displayed()


def test_the_keyboard_does_it_all(browser: Any, stage: Any) -> None:
    from selenium.webdriver import Keys

    browser.execute_script("arguments[0].focus()", stage)
    first = settle(stage)
    press(browser, Keys.ARROW_RIGHT)
    assert now(browser).startswith("Δρ = ±0.025 e/Å³")
    press(browser, Keys.HOME)
    assert now(browser).startswith("Δρ = ±0.0010 e/Å³")
    lowest = settle(stage)
    press(browser, Keys.END)
    assert now(browser).startswith("Δρ = ±0.16 e/Å³")
    assert gains(settle(stage)) < gains(first) < gains(lowest)
    pictures = [settle(stage)]
    for key in (Keys.ARROW_LEFT, Keys.ARROW_UP):
        with_shift(browser, key)
        pictures.append(settle(stage))
    for key in ("+", "t"):
        press(browser, key)
        pictures.append(settle(stage))
    assert all(differ(one, other) > 500 for one, other in pairwise(pictures))
    press(browser, "s")
    assert differ(pictures[0], settle(stage)) == 0
    assert now(browser).startswith("Δρ = ±0.16 e/Å³")
    press(browser, Keys.TAB, Keys.TAB, Keys.ARROW_LEFT)
    assert now(browser).startswith("Δρ = ±0.13 e/Å³"), "the slider itself"


def test_dark_colours_and_a_narrow_window(browser: Any, stage: Any) -> None:
    light = seen(stage)
    scheme(browser, "dark")
    wait(lambda: seen(stage)[5, 5].max() < 80)
    assert light[5, 5].min() > 240
    size = {"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    in_sight(browser)
    width = browser.execute_script("return document.documentElement.scrollWidth")
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert width <= 390


def test_it_is_printed_as_it_is_seen(browser: Any, stage: Any, tmp_path: Path) -> None:
    if not shutil.which("pdftotext"):
        assert not os.environ.get("CI"), "CI needs poppler-utils"
        pytest.skip("needs pdftotext")
    pdf = str(printed(browser, tmp_path / "report.pdf"))
    still = find(browser, f"{FIGURE} .still").get_attribute("src")
    assert still.startswith("data:image/png") and len(still) > 5000
    text = " ".join(subprocess.check_output(["pdftotext", "-layout", pdf, "-"], text=True).split())
    assert "Δρ = ±0.020 e/Å³" in text and "gains electrons" in text
    assert "As a flat picture" not in text and "Drag to turn" not in text


def test_without_webgl_the_flat_picture_is_shown(browser: Any, page: Path) -> None:
    source = "HTMLCanvasElement.prototype.getContext = OffscreenCanvas.prototype.getContext = () => null"
    added = browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": source})
    browser.get(page.as_uri())
    browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)
    element = find(browser, f"{FIGURE} .stage")
    browser.execute_script("arguments[0].scrollIntoView()", element)
    wait(lambda: "needs WebGL" in element.text)
    picture = find(browser, f"{FIGURE} details img")
    assert picture.is_displayed() and picture.size["height"] > 100
    assert not find(browser, f"{FIGURE} input").is_displayed()
