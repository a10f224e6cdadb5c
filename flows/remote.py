"""A study through jobflow-remote, from a study file to the report; docs/jobflow-remote.md says how to set it up.

Run it with ``python flows/remote.py inputs/ncm811_pvdf.yaml``, as often as you like. The first time it sends the
jobs off; then it says how far they are; when all are done it writes the results folder. Jobs of the same study are sent
off once, of an edited study only those that the edit touches. It needs the extra ``remote`` and a project of
jobflow-remote, and computes nothing itself.
"""

import sys
from collections import Counter
from pathlib import Path

from jobflow import Flow
from jobflow_remote import ConfigManager, submit_flow

from barriers import StudyMaker, identify, load_study, write_report, write_results

if len(sys.argv) != 2:
    raise SystemExit(__doc__)
study = load_study(Path(sys.argv[1]))
flow = identify(StudyMaker().make(study), study.name)
jobs = [job for job, _ in flow.iterflow()]
project = ConfigManager().get_project()
sent = project.get_job_controller().get_jobs_info_query({"uuid": {"$in": [job.uuid for job in jobs]}})
states = {info.uuid: info.state.name for info in sent}
for info in sent:
    if error := info.error or info.remote.error:
        print(info.state.name, info.name, f"in {info.run_dir}:", error.strip().splitlines()[-1])
if set(states.values()) - {"COMPLETED"}:
    counted = sorted(Counter(states.values()).items())
    raise SystemExit(f"not done: {', '.join(f'{count} {state}' for state, count in counted)}; see `jf job list`")
missing = [job for job in jobs if job.uuid not in states]
for job in missing:
    job.hosts = []  # they get a flow of their own, without the jobs that are done
if missing:
    submit_flow(Flow(missing, name=study.name), project=project.name, allow_external_references=True)
    raise SystemExit(f"{len(missing)} jobs sent off, {len(states)} are done; `jf runner start` if no runner runs")
store = project.get_jobstore()
store.connect()
document = flow.output.resolve(store)
folder = Path("results") / study.name
write_results(document, folder)
for barrier in document.barriers:
    print(barrier.system, barrier.forward, "eV, converged" if barrier.converged else barrier.reason)
print(*document.sentences, write_report(document, folder), sep="\n")
