"""Changing a workflow on the LaunchPad, which FireWorks itself does for one job at a time only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fireworks.core.launchpad import WFLock
from fireworks.fw_config import WFLOCK_EXPIRATION_SECS

from barriers.dispatch.fireworks.private import write_workflow

if TYPE_CHECKING:
    from fireworks import LaunchPad, Workflow


@contextmanager
def changing(
    launchpad: LaunchPad, fw_id: int, seconds: float = WFLOCK_EXPIRATION_SECS
) -> Iterator[tuple[Workflow, set[int]]]:
    """Lock the workflow of a Firework, and write what was changed of it.

    Parameters
    ----------
    launchpad : LaunchPad
        The database.
    fw_id : int
        Any Firework of the workflow.
    seconds : float
        How long another process may be busy with it (s).

    Yields
    ------
    Workflow, set of int
        The workflow, and where to note the Fireworks that were changed; nothing is written if there are none.

    Raises
    ------
    LockedWorkflowError
        If the other process takes longer.
    """
    with WFLock(launchpad, fw_id, expire_secs=seconds, kill=False):
        workflow = launchpad.get_wf_by_fw_id_lzyfw(fw_id)
        changed: set[int] = set()
        yield workflow, changed
        if changed:
            write_workflow(launchpad, workflow, changed)
