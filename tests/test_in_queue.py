"""What the queues' commands say, read as each queue says it."""

from __future__ import annotations

from pathlib import Path

import pytest

from barriers.dispatch.fireworks.in_queue import states_in_queue

ANSWERS = {
    "SLURM": ("echo '1 RUNNING, None'; echo '2 COMPLETED, None'", 0),
    "PBS": (
        "echo 'Job ID   Name   User   Time Use S Queue'; echo '1.server   neb-1   ada    00:10:00 R batch';"
        "echo '2.server   neb-2   ada    00:10:00 C batch'; echo 'qstat: Unknown Job Id 3.server' >&2",
        153,
    ),
    "SGE": (
        "printf 'job_number:                 1\\n'; printf 'Following jobs do not exist: \\n2\\n3\\n' >&2",
        1,
    ),
    "LoadSharingFacility": ("echo '1 RUN'; echo '2 EXIT'; echo 'Job <3> is not found' >&2", 255),
}


@pytest.mark.parametrize("queue", ANSWERS)
def test_each_queue_is_understood(queue: str, tmp_path: Path) -> None:
    answer, code = ANSWERS[queue]
    script = tmp_path / "status"
    script.write_text(f"#!/bin/sh\n{answer}\nexit {code}\n")
    script.chmod(0o755)
    there = states_in_queue(queue, ["1", "2.server", "3"], str(script))
    assert there.pop("1") and there == {"2.server": None, "3": None}
    script.write_text("#!/bin/sh\necho 'cannot reach the server' >&2\nexit 1\n")
    assert states_in_queue(queue, ["1"], str(script)) == {}
    script.unlink()
    assert states_in_queue(queue, ["1"], str(script)) == {}
