"""The job script of one calculation: for Slurm, and for any shell."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from barriers.engines.base import Script

SPARE = 900
"""Seconds of a walltime beyond those after which a code stops softly."""


def script_text(name: str, script: Script, first_file: str, rests_on: Sequence[str], stand_ins: str) -> str:
    """Write a job script.

    Parameters
    ----------
    name : str
        Name of the job in the queue.
    script : Script
        What it runs.
    first_file : str
        One of the input files, that the script must find beside it.
    rests_on : sequence of str
        Calculations in whose place stand-ins are.
    stand_ins : str
        What the structures are then: unrelaxed, say.
    """
    asked = [f"--job-name={name}", "--output=slurm-%j.out"]
    if script.processes is not None:
        asked.append(f"--ntasks={script.processes}")
    if script.max_seconds is not None:
        asked.append(f"--time={ceil((script.max_seconds + SPARE) / 60)}")
    about = [f"# NOT YET AS IT WILL RUN: of these there is no result, and their structures are {stand_ins}:"]
    about += [f"#   {name}" for name in rests_on]
    return "\n".join(
        [
            "#!/bin/bash",
            *(f"#SBATCH {option}" for option in asked),
            "# Add what your cluster wants: #SBATCH --partition, --account, --mem; and module load … below.",
            *(about if rests_on else []),
            "set -e",
            f'[ -e {first_file} ] || {{ echo "start this in its own folder: {first_file} is not here" >&2; exit 2; }}',
            *script.lines,
            "",
        ]
    )
