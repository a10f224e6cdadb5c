"""The report in a browser: it draws, steps, answers keys, darkens and prints, and asks nobody for anything."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import (
    chromium,
    complaints,
    differ,
    find,
    press,
    printed,
    requests,
    scheme,
    seen,
    settle,
    wait,
    with_shift,
)
from example_structures import STUDY
from ion_conductors import olivine
from made_up_study import made_up_study

from barriers.documents import CrystalDoc, StudyDoc
from barriers.report.html.page import write_report
from barriers.structures.network.network import find_network

pytestmark = pytest.mark.browser

NASTY = ("<script>alert(1)</script>", 'NCM@PVDF & "x"', "it's--></script><img src=x onerror=alert(2)>")
MOVING = np.array([0xFF, 0xB0, 0x00])


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with chromium(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("results")
    shutil.copy(STUDY, folder / "study.yaml")
    return write_report(made_up_study(failed=(2,)), folder)


@pytest.fixture
def opened(browser: Any, page: Path) -> Any:
    """The page, freshly loaded, with light colours."""
    scheme(browser, "light")
    requests(browser), complaints(browser)
    browser.get(page.as_uri())
    return browser


def stage(driver: Any, number: int = 0) -> Any:
    """The viewer of a system, in sight and drawn."""
    element = find(driver, f"#system-{number} .stage")
    driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
    wait(lambda: element.find_elements("css selector", "canvas"))
    settle(element)
    return element


def now(driver: Any, number: int = 0) -> str:
    return find(driver, f"#system-{number} .now").text


def test_it_opens_without_a_request_or_a_complaint(opened: Any, page: Path) -> None:
    for number in range(3):
        stage(opened, number)
    assert requests(opened) == [page.as_uri()]
    assert complaints(opened) == []


def test_the_viewer_draws_atoms_and_the_moving_ion(opened: Any) -> None:
    for number in range(3):  # the last band is not converged
        pixels = seen(stage(opened, number))
        assert (np.abs(pixels - pixels[5, 5]).max(axis=2) > 24).mean() > 0.05
        hue = pixels / np.maximum(pixels.max(axis=2, keepdims=True), 1)
        assert (np.abs(hue - MOVING / MOVING.max()).max(axis=2) < 0.12).sum() > 150  # seen through polyhedra


def test_stepping_an_image_changes_picture_words_and_mark(opened: Any) -> None:
    element = stage(opened)
    first = settle(element)
    assert now(opened).startswith("initial (1 of 6): 0.000 eV")
    find(opened, "#system-0 [data-does=on]").click()
    second = settle(element)
    assert differ(first, second) > 500
    assert now(opened).startswith("image 1 (2 of 6): 0.")
    assert len(opened.find_elements("css selector", "#system-0 .image.current")) == 1
    assert "image 1" in find(opened, "#system-0 .image.current title").get_attribute("textContent")
    find(opened, "#system-0 [data-does=back]").click()
    assert differ(first, settle(element)) == 0


def test_turning_zooming_and_facing_change_the_picture_alone(opened: Any) -> None:
    element = stage(opened)
    pictures = [settle(element)]
    for what in ("left", "up", "closer", "top"):
        find(opened, f"#system-0 [data-does={what}]").click()
        pictures.append(settle(element))
        assert differ(pictures[-2], pictures[-1]) > 500, what
    find(opened, "#system-0 [data-does=side]").click()
    assert differ(pictures[0], settle(element)) == 0
    assert now(opened).startswith("initial")


def test_everything_can_be_done_with_the_keyboard_alone(opened: Any) -> None:
    from selenium.webdriver import Keys

    stage(opened)
    opened.execute_script("scrollTo(0, 0)")
    for _ in range(40):
        press(opened, Keys.TAB)
        ring = opened.execute_script(
            "const style = getComputedStyle(document.activeElement); return [style.outlineStyle, style.outlineWidth]"
        )
        assert ring == ["solid", "3px"], opened.switch_to.active_element.get_attribute("outerHTML")[:200]
        if opened.execute_script("return document.activeElement.matches('#system-0 .stage')"):
            break
    else:
        pytest.fail("the viewer is not reached with the tabulator")
    element = opened.switch_to.active_element
    first = settle(element)
    press(opened, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert now(opened).startswith("image 2 (3 of 6)")
    press(opened, Keys.END)
    assert now(opened).startswith("final (6 of 6)")
    press(opened, Keys.HOME)
    assert differ(first, settle(element)) == 0
    with_shift(opened, Keys.ARROW_RIGHT)
    assert differ(first, settle(element)) > 500
    assert now(opened).startswith("initial")
    press(opened, "s", "+")
    assert differ(first, settle(element)) > 500
    press(opened, " ")
    wait(lambda: not now(opened).startswith("initial"))
    assert find(opened, "#system-0 [data-does=play]").get_attribute("aria-pressed") == "true"
    press(opened, " ")
    stopped = now(opened)
    time.sleep(1.2)
    assert now(opened) == stopped
    press(opened, Keys.TAB)
    assert opened.switch_to.active_element.get_attribute("data-does") == "back"


def test_the_profile_is_read_under_the_pointer_and_leads_to_an_image(opened: Any) -> None:
    from selenium.webdriver import ActionChains, Keys

    svg = find(opened, "#system-0 svg.profile")
    opened.execute_script("arguments[0].scrollIntoView({block: 'center'})", svg)
    top = svg.find_elements("css selector", ".image")[2]
    ActionChains(opened).move_to_element(top).perform()
    reading = find(opened, "#system-0 .reading").text
    assert reading.startswith("1.1") and " Å: 0.4" in reading and reading.endswith(" eV")
    ActionChains(opened).click().perform()
    assert now(opened).startswith("image 2 (3 of 6)")
    press(opened, Keys.ARROW_LEFT)
    assert now(opened).startswith("image 1 (2 of 6)")
    overlay = find(opened, ".overlay svg.profile")
    ActionChains(opened).move_to_element(overlay).perform()
    reading = find(opened, ".overlay .reading").text
    assert "NCM, sub-surface 0." in reading and "NCM@PVDF, sub-surface 0." in reading


def test_dark_colours_where_they_are_asked_for(opened: Any) -> None:
    element = stage(opened)
    light = settle(element)
    paper = "return getComputedStyle(document.body).backgroundColor"
    assert opened.execute_script(paper) == "rgb(255, 255, 255)"
    scheme(opened, "dark")
    wait(lambda: seen(element)[5, 5].max() < 80)
    assert light[5, 5].min() > 240
    assert opened.execute_script(paper) == "rgb(20, 24, 29)"


def test_names_do_nothing(browser: Any, tmp_path: Path) -> None:
    browser.get(write_report(made_up_study(names=NASTY), tmp_path).as_uri())
    titles = [heading.text for heading in browser.find_elements("css selector", "[data-barrier] h2")]
    assert titles == [f"{name}, sub-surface" for name in NASTY]
    stage(browser, 2)
    assert complaints(browser) == []
    assert browser.find_elements("css selector", "main script, main img:not(.still)") == []


def test_a_narrow_window_is_not_wider_than_itself(opened: Any) -> None:
    size = {"width": 360, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    opened.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    stage(opened)
    width = opened.execute_script("return document.documentElement.scrollWidth")
    opened.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert width <= 360


def test_on_paper_there_are_table_and_pictures_and_no_buttons(opened: Any, tmp_path: Path) -> None:
    if not shutil.which("pdftotext"):
        assert not os.environ.get("CI"), "CI needs poppler-utils"
        pytest.skip("needs pdftotext")
    scheme(opened, "dark")
    pdf = str(printed(opened, tmp_path / "report.pdf"))
    text = " ".join(subprocess.check_output(["pdftotext", "-layout", pdf, "-"], text=True).split())
    assert "NCM@PVDF sub-surface 0.45 0.04 0.40 0.45 reference" in text
    assert "barriers run study.yaml" in text
    assert "Play" not in text
    pictures = subprocess.check_output(["pdfimages", "-list", pdf], text=True).splitlines()[2:]
    assert len([line for line in pictures if " image " in line]) == 3


def many(study: StudyDoc, copies: int) -> StudyDoc:
    """A study of the same barriers for several hops."""
    several = study.model_copy(deep=True)
    several.barriers = [
        barrier.model_copy(update={"hop": barrier.hop.model_copy(update={"name": f"hop {n}"})})
        for n in range(copies)
        for barrier in study.barriers
    ]
    several.rows = [row.model_copy(update={"hop": f"hop {n}"}) for n in range(copies) for row in study.rows]
    return several


def test_many_systems_are_all_drawn(browser: Any, tmp_path: Path) -> None:
    """A browser keeps about 16 WebGL contexts and drops the oldest."""
    browser.get(write_report(many(made_up_study(), 6), tmp_path).as_uri())
    for number in range(18):
        browser.execute_script(f"panels[{number}].open()")
    assert len(browser.find_elements("css selector", ".stage canvas")) == 18
    for number in (0, 17):
        assert differ(seen(stage(browser, number)), np.array([255, 255, 255])) > 5000
    assert complaints(browser) == []


def test_without_webgl_the_page_says_so_and_the_profile_works(browser: Any, page: Path) -> None:
    source = "HTMLCanvasElement.prototype.getContext = OffscreenCanvas.prototype.getContext = () => null"
    script = {"source": source}
    added = browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", script)
    browser.get(page.as_uri())
    browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)
    element = find(browser, "#system-0 .stage")
    browser.execute_script("arguments[0].scrollIntoView()", element)
    wait(lambda: "needs WebGL" in element.text)
    find(browser, "#system-0 [data-does=on]").click()
    assert now(browser).startswith("image 1 (2 of 6)")


def test_the_hops_of_a_crystal_are_drawn(browser: Any, tmp_path: Path) -> None:
    drawn = made_up_study(failed=())
    network = find_network(olivine())
    (hop,) = network.hops
    told = [
        each.model_copy(update={"hop": hop.model_copy(update={"name": each.hop_name})}) for each in drawn.barriers[:1]
    ]
    crystal = CrystalDoc(
        **{"formula": "LiFePO4", "space_group": "Pnma", "supercell": (1, 1, 1), "atoms": 28, "image_distance": 4.69},
        source="mine.cif",
        ion="Li",
        structure=network.structure,
    )
    study = drawn.model_copy(update={"crystal": crystal, "slab": None, "barriers": told})
    scheme(browser, "light")
    complaints(browser)  # those of the page without WebGL before it
    browser.get(write_report(study, tmp_path).as_uri())
    element = find(browser, "figure[data-hops] .stage")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
    wait(lambda: element.find_elements("css selector", "canvas"))
    pixels = settle(element)
    assert (np.abs(pixels - pixels[5, 5]).max(axis=2) > 24).mean() > 0.05
    hue = pixels / np.maximum(pixels.max(axis=2, keepdims=True), 1)
    arrow = np.array([0xD5, 0x5E, 0x00])
    assert (np.abs(hue - arrow / arrow.max()).max(axis=2) < 0.12).sum() > 100
    assert find(browser, "figure[data-hops] .now").text.startswith(told[0].hop_name)
    assert complaints(browser) == []
