"""The lattices on file of the embedded engine: each cathode on file, relaxed with the default model.

Run it with ``python tests/benchmarks/relaxed_lattices.py``; it needs the extra ``mlip`` and writes
``barriers/engines/mlip/lattices.json``. A study that the file does not hold has its lattice relaxed when it is run.
"""

from __future__ import annotations

import json
from pathlib import Path

from barriers import known_cathodes, relax_lattice
from barriers.structures.digest import structure_digest
from barriers.study.file import read_study
from barriers.workflow import lattice

KEPT = Path(lattice.__file__).parents[1] / "engines/mlip/lattices.json"

if __name__ == "__main__":
    KEPT.write_text("{}\n", "utf-8")
    found = {}
    print("| cathode | a (Å) | c (Å) | z | strain along a, c | stress on file along a, c (GPa) | calls |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name in known_cathodes():
        study = read_study(f"name: {name}\ncathode: {{name: {name}}}\nsystems: [{{name: {name}}}]\n")
        _, relaxed = relax_lattice(study, Path("results/lattices") / name)
        assert relaxed is not None
        found[structure_digest(lattice.bulk_of(study)[1])] = relaxed.model_dump(mode="json")
        strain = ", ".join(map("{:+.2%}".format, relaxed.strain))
        stress = ", ".join(map("{:+.1f}".format, relaxed.stress_before))
        calls = relaxed.cost.force_calls
        print(f"| {name} | {relaxed.a} | {relaxed.c} | {relaxed.z} | {strain} | {stress} | {calls} |", flush=True)
    KEPT.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
