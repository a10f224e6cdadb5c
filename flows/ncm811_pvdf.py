"""The main job in Python: NCM811 bare, with PVDF at a distance, and with PVDF−HF bonded to it.

Run it with ``python flows/ncm811_pvdf.py``. It builds the same Flow as ``barriers run inputs/ncm811_pvdf.yaml`` and
continues from the same results folder.
"""

from pathlib import Path

from barriers import StudyMaker, draw_profiles, load_study, run, save_figure

here = Path(__file__).resolve().parent
study = load_study(here.parent / "inputs" / "ncm811_pvdf.yaml")
flow = StudyMaker().make(study)
outcome = run(flow, Path("results") / study.name, on_event=lambda event: print(event.state, event.name))
if outcome.output is None or not outcome.output.barriers:
    raise SystemExit(f"failed: {outcome.failures}")
for gap in outcome.output.gaps:
    print(gap.system, gap.hop, "not there:", gap.reason)
for barrier in outcome.output.barriers:
    print(barrier.system, barrier.forward, "eV, converged" if barrier.converged else barrier.reason)
print(*outcome.output.sentences, sep="\n")
save_figure(draw_profiles(outcome.output.barriers), Path("results") / study.name / "profiles")
