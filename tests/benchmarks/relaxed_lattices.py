"""The lattices on file of the embedded engine: each cathode on file, relaxed with the default model.

Run it with ``python tests/benchmarks/relaxed_lattices.py``; it needs the extra ``mlip`` and writes
``barriers/engines/mlip/lattices.json``. A study that the file does not hold has its lattice relaxed when it is run.
"""

from __future__ import annotations

import json
from pathlib import Path

from espresso_handover import finished
from jobflow import Flow

from barriers import known_cathodes
from barriers.structures.digest import structure_digest
from barriers.study.file import read_study
from barriers.workflow import lattice

KEPT = Path(lattice.__file__).parents[1] / "engines/mlip/lattices.json"

if __name__ == "__main__":
    found = {}
    print("| cathode | a (Å) | c (Å) | z | strain along a, c | stress on file along a, c (GPa) | calls |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name in known_cathodes():
        study = read_study(f"name: {name}\ncathode: {{name: {name}}}\nsystems: [{{name: {name}}}]\n")
        job = lattice.lattice_job(study)
        relaxed = lattice.lattice_document(study, finished(Flow([job], job.output), Path("results/lattices") / name))
        found[structure_digest(lattice.bulk_of(study)[1])] = relaxed.model_dump(mode="json")
        strain = ", ".join(map("{:+.2%}".format, relaxed.strain))
        stress = ", ".join(map("{:+.1f}".format, relaxed.stress_before))
        calls = relaxed.cost.force_calls
        print(f"| {name} | {relaxed.a} | {relaxed.c} | {relaxed.z} | {strain} | {stress} | {calls} |", flush=True)
    KEPT.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
