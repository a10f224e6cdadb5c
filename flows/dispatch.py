"""A study through FireWorks, in Python: submit, keep it going until nothing is under way, collect, report.

Run it with ``python flows/dispatch.py inputs/ncm811_pvdf.yaml``, as often as you like: what is there is not added
again, what is done is not computed again. ``barriers setup fireworks`` writes the configuration that it needs.
"""

import sys
from pathlib import Path

from barriers import StudyMaker, collect, find_cluster, launch, load_study, submit, write_report, write_results

if len(sys.argv) != 2:
    raise SystemExit(__doc__)
study = load_study(Path(sys.argv[1]))
cluster = find_cluster()
added = submit(StudyMaker().parts(study), study.name, cluster)
print(f"{added.added} jobs added, {sum(added.present.values())} were there")
launch(cluster, cluster.scope(study.name), every=5.0, on_round=lambda seen: print(seen.states))
document = collect(study, cluster)
folder = Path("results") / study.name
write_results(document, folder)
for gap in document.gaps:
    print(gap.system, gap.hop, "not there:", gap.reason)
for barrier in document.barriers:
    print(barrier.system, barrier.forward, "eV, converged" if barrier.converged else barrier.reason)
print(*document.sentences, write_report(document, folder), sep="\n")
