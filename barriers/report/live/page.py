"""What the live page is made of, and what it asks for."""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

from barriers.report.live.helper import Helper
from barriers.report.live.job_files import details
from barriers.report.live.server import HTML, SCRIPT, Answer, as_json, text_of
from barriers.report.live.watcher import Watcher

REPORT = "barriers.report.html"
"""Package of the finished page, whose style and views the live page shares."""


@dataclass
class LivePage:
    """Answers what the live page of a study asks.

    Attributes
    ----------
    watcher : Watcher
        Looks at the study.
    folder : Path
        Its results folder.
    config : Path or None
        Configuration folder that was given.
    helper : Helper
        Process that draws bands.
    """

    watcher: Watcher
    folder: Path
    config: Path | None = None
    helper: Helper = field(default_factory=Helper)

    @property
    def answers(self) -> dict[str, Callable[..., Answer | None]]:
        """What is served, by path."""
        return {
            "": self.page,
            "details.js": lambda **_: (SCRIPT, text_of("details.js")),
            "live.js": lambda **_: (SCRIPT, text_of("live.js")),
            "views.js": lambda **_: (SCRIPT, self.helper.call(_views)),
            "state": self.state,
            "hop": self.hop,
            "band": self.band,
        }

    def page(self, **_: int) -> Answer:
        """Give the page itself."""
        style = (files(REPORT) / "page.css").read_text("utf-8") + text_of("live.css")
        text = text_of("live.html")
        return HTML, text.replace("{{ name }}", html.escape(self.watcher.ledger.study)).replace("{{ style }}", style)

    def state(self, since: int = 0, **_: int) -> Answer:
        """Give what has changed since a revision: nothing but its number where nothing has."""
        return as_json(self.watcher.since(since) or {"revision": since})

    def hop(self, row: int = -1, **_: int) -> Answer | None:
        """Give what is known of a system and hop beside its row."""
        found = self.watcher.group(row)
        return None if found is None else as_json(details(*found))

    def band(self, row: int = -1, **_: int) -> Answer | None:
        """Give the report's section on a system and hop, or the reason why there is none."""
        found = self.watcher.group(row)
        if found is None:
            return None
        group = found[0]
        title = f"{group.system or 'study'}, {group.hop}" if group.hop else group.system or "study"
        try:
            return "application/json", self.helper.call(_section, self.folder, self.config, group.members, title)
        except RuntimeError as error:
            return as_json({"reason": str(error)})


def _views() -> str:
    from barriers.report.html.page import page_scripts

    return page_scripts()


def _section(*arguments: object) -> str:
    from barriers.report.live.bands import band_section

    return band_section(*arguments)  # type: ignore[arg-type]
