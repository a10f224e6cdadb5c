"""What is built of a study, byte for byte; and its flow, written down: ``python described.py STUDY... [FLOW]``.

Run in processes of their own, whose kernels of linear algebra differ.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

from monty.json import MontyEncoder
from pymatgen.core import Structure

from barriers import StudyMaker
from barriers.structures.hop.search import find_hops
from barriers.study.file import load_study, read_study
from barriers.study.models import Study
from barriers.workflow.built import build_study


def described(study: Study) -> dict[str, object]:
    """Digests of the slab, all its hops and labels, and the placements; and the hops that the study chooses.

    In the lattice on file, as a crystal of the user's has it.
    """
    built = build_study(study.model_copy(update={"cathode": study.cathode.model_copy(update={"relax": False})}))
    slab = built.slab.structure
    hops = find_hops(slab)
    return {
        "slab": sha256(slab),
        "hops": hashlib.sha256("\n".join(hop.model_dump_json() for hop in hops).encode()).hexdigest(),
        "labels": hashlib.sha256("\n".join(hop.label for hop in hops).encode()).hexdigest(),
        "chosen": [hop.model_dump_json() for hop in built.hops],
        "placements": {name: [sha256(placed) for placed in placements] for name, placements in built.systems.items()},
    }


def sha256(structure: Structure) -> str:
    """Digest of every bit of a structure that is kept; ``xyz`` is worked out anew whenever one is written."""
    # pymatgen gives the site properties in the order of a set.
    return hashlib.sha256(json.dumps(structure.as_dict(verbosity=0), sort_keys=True).encode()).hexdigest()


if __name__ == "__main__":
    if sys.argv[1] == "--flow":
        flow = StudyMaker().make(read_study(Path(sys.argv[2]).read_text("utf-8")))
        print(json.dumps(flow, cls=MontyEncoder))
    else:
        print(json.dumps([described(load_study(path)) for path in sys.argv[1:]]))
