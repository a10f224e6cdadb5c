"""Which studies are on a LaunchPad."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fireworks import LaunchPad


@dataclass(frozen=True)
class StudyOnLaunchPad:
    """A study, whose it is, when it was added, and its jobs by FireWorks state."""

    owner: str
    study: str
    since: str
    states: dict[str, int]


def studies(launchpad: LaunchPad) -> list[StudyOnLaunchPad]:
    """List every study on a LaunchPad, newest first; the database counts."""
    counted = launchpad.fireworks.aggregate(
        [
            {"$match": {"spec.barriers.scope": {"$exists": True}}},
            {
                "$group": {
                    "_id": {"owner": "$spec.barriers.owner", "study": "$spec.barriers.study", "state": "$state"},
                    "jobs": {"$sum": 1},
                    "since": {"$min": "$created_on"},
                }
            },
        ]
    )
    found: dict[tuple[str, str], StudyOnLaunchPad] = {}
    for group in counted:
        key, since = group["_id"], str(group["since"])
        name = (key["owner"], key["study"])
        earlier = found.get(name, StudyOnLaunchPad(*name, since, {}))
        states = earlier.states | {key["state"]: group["jobs"]}
        found[name] = StudyOnLaunchPad(*name, min(since, earlier.since), states)
    return sorted(found.values(), key=lambda study: study.since, reverse=True)
