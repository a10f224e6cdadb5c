"""All that is used of FireWorks and that its releases may change without notice: its private names, each in one place.

``tests/test_fireworks_private.py`` says which of them is another one after an update of FireWorks.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from fireworks.user_objects.queue_adapters.common_adapter import CommonAdapter

if TYPE_CHECKING:
    from fireworks import Firework, LaunchPad, Workflow

ADAPTER: str = CommonAdapter._fw_name
"""What ``my_qadapter.yaml`` calls the queue adapter."""


def default_template(kind: str) -> Path:
    """Find FireWorks' own job script of a queueing system."""
    return Path(CommonAdapter._get_default_template_file(kind))


def forget_launches(firework: Firework) -> None:
    """Let a Firework wait as if it had never been launched; its launches are archived."""
    firework._rerun()


def write_workflow(launchpad: LaunchPad, workflow: Workflow, changed: Iterable[int]) -> None:
    """Write a workflow that is locked, its links and states, and those of its Fireworks that were changed."""
    launchpad._update_wf(workflow, set(changed))
