"""The live page in a browser, during a run of a slowed-down calculator and with a thousand hops."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from ase.io import write
from browser import chromium, complaints, differ, find, press, requests, scheme, settle, wait
from conftest import ROOT, gold_on_aluminium
from external import end_service
from many_jobs import many_jobs

pytestmark = pytest.mark.browser

STUDY = """
name: gold
endpoints: {{initial: {folder}/initial.vasp, final: {folder}/final.vasp}}
engine: {{kind: mlip, model: "{model}"}}
neb: {{fmax: 0.02}}
"""

FRESH = 2.0
"""What a job has written is on the page after this time (s)."""

MOST_MEMORY, FIRST_PAINT = 100e6, 1.0
"""Of server and page of 1,000 hops in two systems (bytes), and until something is seen of it (s)."""

PAINTS = "return performance.getEntriesByType('paint').map(entry => entry.startTime)"
SHOWN = "return performance.getEntriesByName('rows shown')[0].startTime"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with chromium(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


def command(folder: Path, *words: str) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}
    line = [sys.executable, "-m", "barriers", *words, "--results", str(folder / "results")]
    return subprocess.Popen(line, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def watched(folder: Path, study: Path) -> tuple[subprocess.Popen[str], str]:
    process = command(folder, "watch", str(study))
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def rows(driver: Any) -> list[str]:
    return driver.execute_script(
        "return [...document.querySelectorAll('#hops > tbody > tr:not([hidden])')].map(row => row.innerText)"
    )


def narrow(driver: Any) -> int:
    """Width of the page in a window of 390 px."""
    size = {"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    widths = "[document.documentElement, ...document.querySelectorAll('#hops > tbody > tr, #hops > tbody > tr > td')]"
    width = driver.execute_script(f"return Math.max(...{widths}.map(each => each.scrollWidth))")
    driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    return int(width)


def open_with_keys(driver: Any) -> None:
    """Go to the rows with the tabulator, up and down them with the arrows, and open the first."""
    from selenium.webdriver import Keys

    press(driver, *[Keys.TAB] * 7)
    assert driver.switch_to.active_element.get_attribute("class") == "open"
    press(driver, Keys.ARROW_DOWN)
    assert driver.switch_to.active_element.text == "study"
    press(driver, Keys.ARROW_UP, Keys.ENTER)
    wait(lambda: driver.find_elements("css selector", ".details .jobs tbody tr"))


def seconds_until_shown(driver: Any, log: Path) -> float:
    """Wait for the next line of a band's progress, and until the page tells of it."""
    before = len(log.read_text().splitlines())
    wait(lambda: len(log.read_text().splitlines()) > before)
    began, words = time.monotonic(), f" {len(log.read_text().splitlines()) - 1}: largest force"
    wait(lambda: words in find(driver, ".details pre").text, 10)
    return time.monotonic() - began


def close_and_filter_with_keys(driver: Any) -> None:
    from selenium.webdriver import Keys

    press(driver, Keys.ESCAPE)
    assert not driver.find_elements("css selector", ".details")
    assert driver.switch_to.active_element.text == "gold"
    press(driver, "/", "study")
    wait(lambda: len(rows(driver)) == 1)
    assert find(driver, "#shown").text == "1 of 2 shown"


def test_a_run_is_seen_from_its_beginning_to_its_end_and_beyond(browser: Any, tmp_path: Path) -> None:
    from selenium.webdriver import Keys

    for name, atoms in zip(("initial", "final"), gold_on_aluminium(), strict=True):
        write(tmp_path / f"{name}.vasp", atoms)
    study = tmp_path / "gold.yaml"
    study.write_text(STUDY.format(folder=tmp_path, model="very_slow_emt:VerySlowEMT"))
    watch, address = watched(tmp_path, study)
    run = None
    try:
        scheme(browser, "light")
        requests(browser), complaints(browser)
        browser.get(address)
        wait(lambda: "nothing was run or submitted here" in find(browser, "#trouble").text)
        run = command(tmp_path, "run", str(study))
        wait(lambda: any("relax initial" in row and "running" in row for row in rows(browser)), 60)
        assert not find(browser, "#trouble").is_displayed()
        open_with_keys(browser)
        wait(lambda: any("band idpp" in row and "plain" in row for row in rows(browser)), 60)
        (log,) = (tmp_path / "results" / "gold" / "jobs").glob("*band*/neb-*.progress.jsonl")
        assert max(seconds_until_shown(browser, log) for _ in range(2)) < FRESH
        assert len(browser.find_elements("css selector", ".details svg.plot")) == 2

        next(each for each in browser.find_elements("css selector", ".details button") if "band" in each.text).click()
        wait(lambda: browser.find_elements("css selector", ".band .stage canvas"), 90)
        browser.execute_script("document.querySelector('.band .stage').focus()")
        press(browser, Keys.ARROW_RIGHT)
        assert find(browser, ".band .now").text.startswith("image 1 (2 of 6)")
        assert narrow(browser) <= 390
        run.wait(120)
        wait(lambda: "The run has ended" in find(browser, "#said").text, 20)
        wait(lambda: "all starts converged" in find(browser, ".band").text, 20)
        assert browser.switch_to.active_element.get_attribute("class") == "stage"
        press(browser, Keys.ARROW_RIGHT)
        assert find(browser, ".band .now").text.startswith("image 2 (3 of 6): 0.")
        stage = find(browser, ".band .stage")
        browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", stage)
        light = settle(stage)
        find(browser, ".band [data-does=top]").click()
        assert differ(light, settle(stage)) > 500
        scheme(browser, "dark")
        assert browser.execute_script("return getComputedStyle(document.body).backgroundColor") == "rgb(20, 24, 29)"
        wait(lambda: settle(stage)[5, 5].max() < 80)
        close_and_filter_with_keys(browser)
        assert all(url.startswith(address) for url in requests(browser))
        assert complaints(browser) == []
    finally:
        end_service(watch)
        if run is not None:
            end_service(run)
    wait(lambda: "has ended or does not answer" in find(browser, "#trouble").text, 30)
    complaints(browser)  # a browser says itself that nobody answers


def test_a_thousand_hops_are_light_and_at_once(browser: Any, tmp_path: Path) -> None:
    many_jobs(tmp_path / "results" / "many", 1000)
    study = tmp_path / "many.yaml"
    study.write_text("name: many\nsystems: [{name: NCM}]\n")
    watch, address = watched(tmp_path, study)
    try:
        browser.get(address)
        wait(lambda: find(browser, "#shown").text == "200 of 2000 shown")
        assert rows(browser)[0].split()[:4] == ["NCM@PVDF", "vacancy-4", "failed", "2/4"]
        wait(lambda: browser.execute_script(PAINTS))
        paint, whole = max(browser.execute_script(PAINTS)), browser.execute_script(SHOWN)
        browser.execute_cdp_cmd("HeapProfiler.collectGarbage", {})  # what the page before has left
        used = browser.execute_cdp_cmd("Runtime.getHeapUsage", {})
        heap, server = used["usedSize"] + used.get("embedderHeapUsedSize", 0), psutil.Process(watch.pid)
        memory = server.memory_info().rss
        print(f"\npaint {paint:.0f} ms, rows {whole:.0f} ms, page {heap / 1e6:.0f} MB, server {memory / 1e6:.0f} MB")
        assert paint < 1000 * FIRST_PAINT and whole < 2000 * FIRST_PAINT
        assert heap + memory < MOST_MEMORY and not server.children()
        find(browser, "#states [data-state=waiting]").click()
        find(browser, "#more").click()
        assert find(browser, "#shown").text == "400 of 2000 shown"
        press(browser, "/", "vacancy-999")
        assert [row.split()[:2] for row in rows(browser)] == [["NCM", "vacancy-999"], ["NCM@PVDF", "vacancy-999"]]
        assert complaints(browser) == []
    finally:
        end_service(watch)
