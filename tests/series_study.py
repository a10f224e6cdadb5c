"""The study that series are made of in the tests: NCM811 in a potential whose barriers are known."""

from __future__ import annotations

from barriers.study.file import read_study
from barriers.study.models import Study

TEXT = """
name: grooves
surface: {layers: 4, frozen_layers: 1}
systems: [{name: NCM}]
engine: {model: "grooves:Grooves", workers: 1}
relax: {fmax: 0.03, rough_fmax: 0.1}
neb: {fmax: 0.2, rough_fmax: 0.5}
path: {n_images: 3, starts: 1}
"""


def study_of(surface: str = "", cathode: str = "", hops: str = "", layers: int = 4) -> Study:
    of_surface = f"layers: {layers}, frozen_layers: 1{f', {surface}' if surface else ''}"
    text = TEXT.replace("layers: 4, frozen_layers: 1", of_surface)
    text += (f"cathode: {{{cathode}}}\n" if cathode else "") + (f"hops: [{hops}]\n" if hops else "")
    study = read_study(text)
    assert isinstance(study, Study)
    return study
