"""A headless Chromium that looks at a page."""

from __future__ import annotations

import base64
import io
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

OPTIONS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--window-size=1280,900",
)


@contextmanager
def chromium(profile: Path) -> Iterator[Any]:
    """Start Chromium with a profile of its own; the test is skipped where there is none, and fails in CI."""
    programs = shutil.which("chromium") or shutil.which("google-chrome"), shutil.which("chromedriver")
    if not all(programs):
        assert not os.environ.get("CI"), "CI needs chromium and chromedriver"
        pytest.skip("needs chromium and chromedriver")
    webdriver = pytest.importorskip("selenium.webdriver")
    from selenium.webdriver.chrome.service import Service

    wanted = webdriver.ChromeOptions()
    wanted.binary_location = programs[0]
    for option in (*OPTIONS, f"--user-data-dir={profile}"):
        wanted.add_argument(option)
    wanted.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    driver = webdriver.Chrome(options=wanted, service=Service(programs[1]))
    try:
        driver.get("about:blank")
        yield driver
    finally:
        driver.quit()


def requests(driver: Any) -> list[str]:
    """Addresses asked for since the last look, as far as a network or a disk is concerned."""
    messages = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    urls = [one["params"]["request"]["url"] for one in messages if one["method"] == "Network.requestWillBeSent"]
    return [url for url in urls if not url.startswith(("chrome:", "about:", "data:"))]


def complaints(driver: Any) -> list[str]:
    """What the console says since the last look, but for the driver's remarks on its own speed."""
    return [entry["message"] for entry in driver.get_log("browser") if "GPU stall" not in entry["message"]]


def seen(element: Any) -> NDArray[np.int_]:
    """Pixels of an element, shape (height, width, 3)."""
    picture = Image.open(io.BytesIO(element.screenshot_as_png)).convert("RGB")
    return np.array(picture, dtype=int)


def differ(one: NDArray[np.int_], other: NDArray[np.int_]) -> int:
    """Number of pixels that two pictures do not share."""
    return int((np.abs(one - other).max(axis=2) > 24).sum())


def printed(driver: Any, path: Path) -> Path:
    """Print the page to a PDF, A4."""
    options = {"paperWidth": 8.27, "paperHeight": 11.69}
    path.write_bytes(base64.b64decode(driver.execute_cdp_cmd("Page.printToPDF", options)["data"]))
    return path


def scheme(driver: Any, name: str) -> None:
    """Ask for the light or the dark colours."""
    features = [{"name": "prefers-color-scheme", "value": name}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def find(driver: Any, selector: str) -> Any:
    return driver.find_element("css selector", selector)


def wait(holds: Callable[[], Any], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def settle(element: Any) -> NDArray[np.int_]:
    """What an element looks like once it has stopped changing."""
    before, after = None, seen(element)
    while before is None or differ(before, after):
        time.sleep(0.1)
        before, after = after, seen(element)
    return after


def press(driver: Any, *keys: str) -> None:
    """Press keys where the focus is."""
    from selenium.webdriver import ActionChains

    ActionChains(driver).send_keys(*keys).perform()


def with_shift(driver: Any, key: str) -> None:
    from selenium.webdriver import ActionChains, Keys

    ActionChains(driver).key_down(Keys.SHIFT).send_keys(key).key_up(Keys.SHIFT).perform()
