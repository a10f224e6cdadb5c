"""FireWorks' private names: which of them a release has changed, and that none is used but in one file."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from importlib.metadata import version

import pytest
from conftest import ROOT
from counting import count
from fireworks import Firework, LaunchPad, Workflow
from fireworks.core.firework import Launch
from fireworks.user_objects.firetasks.script_task import PyTask
from fireworks.user_objects.queue_adapters.common_adapter import CommonAdapter
from jobflow import Flow

from barriers.dispatch.fireworks.config import Cluster
from barriers.dispatch.fireworks.private import ADAPTER, default_template, forget_launches
from barriers.dispatch.fireworks.submit import submit
from barriers.dispatch.fireworks.workflow import changing

ROOM = ROOT / "barriers" / "dispatch" / "fireworks"
USED = {
    LaunchPad._update_wf: ["self", "wf", "updated_ids"],
    Firework._rerun: ["self"],
    CommonAdapter._get_default_template_file: ["q_type"],
}


def changed(what: str) -> str:
    return f"FireWorks {version('FireWorks')}: {what}; mend barriers/dispatch/fireworks/private.py"


def test_private_names_stand_in_one_file() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}: {ast.unparse(node)}"
        for path in sorted(ROOM.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute)
        and node.attr.startswith("_")
        and not node.attr.startswith("__")
        and not (isinstance(node.value, ast.Name) and node.value.id in ("self", "cls"))
    ]
    private = [line for line in found if "private.py" in line]
    assert {line.rpartition("._")[2].rstrip("()") for line in private} == {
        "update_wf",
        "rerun",
        "get_default_template_file",
        "fw_name",
    }
    assert found == private


@pytest.mark.parametrize("function", USED, ids=lambda function: function.__qualname__)
def test_private_functions_take_what_they_took(function: Callable[..., object]) -> None:
    now = list(inspect.signature(function).parameters)
    assert now == USED[function], changed(f"{function.__qualname__} takes {now}")


def test_the_queue_adapter_has_its_name_and_its_templates() -> None:
    assert ADAPTER == "CommonAdapter", changed(f"CommonAdapter calls itself {ADAPTER}")
    for kind in ("SLURM", "PBS", "SGE", "LoadSharingFacility"):
        assert default_template(kind).is_file(), changed(f"no template {default_template(kind)}")


def test_a_firework_forgets_its_launches() -> None:
    firework = Firework([PyTask(func="print")], fw_id=1)
    launch = Launch("FIZZLED", "/nowhere", launch_id=7, fw_id=1)
    firework.launches, firework.state = [launch], "FIZZLED"
    forget_launches(firework)
    seen = (firework.launches, firework.archived_launches, firework.state)
    assert seen == ([], [launch], "WAITING"), changed("Firework._rerun leaves another state")


@pytest.mark.mongo
def test_of_a_workflow_links_states_and_what_changed_are_written(here: Cluster) -> None:
    submit([Flow([count(number) for number in (1, 2, 3)])], "private", here)
    launchpad = here.launchpad()
    first, second, third = launchpad.get_fw_ids()
    with changing(launchpad, first) as (workflow, noted):
        assert isinstance(workflow, Workflow)
        workflow.links[first] = [second]
        for fw_id in (second, third):
            workflow.id_fw[fw_id].state = workflow.fw_states[fw_id] = "PAUSED"
        noted.add(second)
    written = launchpad.workflows.find_one({"nodes": first})
    say = changed("LaunchPad._update_wf writes something else")
    assert (written["links"][str(first)], written["parent_links"]) == ([second], {str(second): [first]}), say
    assert [written["fw_states"][str(fw_id)] for fw_id in (first, second)] == ["READY", "PAUSED"], say
    assert [each["state"] for each in launchpad.fireworks.find().sort("fw_id")] == ["READY", "PAUSED", "READY"], say
    assert "locked" not in written, say
