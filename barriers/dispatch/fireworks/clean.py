"""What a submitted study has left behind, and how its jobs are kept from being repeated for want of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from barriers.dispatch.fireworks import gates
from barriers.dispatch.fireworks.private import forget_launches
from barriers.dispatch.fireworks.repeat import FIELDS, outside
from barriers.dispatch.fireworks.task import root_of
from barriers.dispatch.fireworks.workflow import changing
from barriers.dispatch.identity import identify
from barriers.dispatch.leftovers import Leftover, Leftovers, leftovers
from barriers.study.forms import AnyStudy
from barriers.workflow.labels import jobs_of
from barriers.workflow.study import StudyMaker

if TYPE_CHECKING:
    from fireworks import LaunchPad

    from barriers.dispatch.fireworks.config import Cluster

AT_WORK = ("RESERVED", "RUNNING")


def dispatched_leftovers(study: AnyStudy, cluster: Cluster) -> Leftovers:
    """Look for leftovers of a submitted study, in its folder as far as it can be seen from here.

    Raises
    ------
    ValueError
        If nothing of the study is on the LaunchPad.
    """
    launchpad, scope = cluster.launchpad(), cluster.scope(study.name)
    wanted: dict[str, str] = {}
    for part in StudyMaker().parts(study):
        wanted |= {job.uuid: job.name for job in jobs_of(identify(part, scope))}
    which = {"spec.barriers.scope": scope, "state": {"$in": AT_WORK}}
    busy = launchpad.fireworks.distinct("spec.barriers.uuid", which)
    root = root_of(f"{cluster.resources().folder}/{study.name}")
    return leftovers(wanted, cluster.store(), scope, root, also=busy)


def withdraw_ended(launchpad: LaunchPad, found: Iterable[Leftover]) -> None:
    """Withdraw the jobs whose results are to go: they would be missed, and computed again, by `barriers recover`.

    A study that wants them once more lets them take part again, behind the jobs that they take outputs from.
    """
    uuids = [each.where for each in found if each.what == "document"]
    which = {"spec.barriers.uuid": {"$in": uuids}, "state": {"$in": ["COMPLETED", "FIZZLED"]}}
    ended = {each["fw_id"]: each for each in launchpad.fireworks.find(which, FIELDS)}
    waiting = outside(launchpad, ended, set())
    for found_here in launchpad.workflows.find({"nodes": {"$in": list(ended)}}, {"nodes": 1}):
        here = sorted(ended.keys() & set(found_here["nodes"]))
        with changing(launchpad, here[0]) as (workflow, changed):
            again = {fw_id: waiting[fw_id] for fw_id in here if fw_id in waiting}
            gates.close(launchpad, workflow.metadata["scope"], again, min(workflow.id_fw))
            for fw_id in here:
                forget_launches(workflow.id_fw[fw_id])
                workflow.id_fw[fw_id].state = workflow.fw_states[fw_id] = "DEFUSED"
                changed.add(fw_id)
