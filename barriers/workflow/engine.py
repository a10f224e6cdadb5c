"""The engine of a study: one set of settings for all of its structures."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pymatgen.core import Structure

from barriers.engines import build_engine
from barriers.engines.mlip import MlipEngine
from barriers.engines.protocol import Engine
from barriers.engines.surrogate import SurrogateEngine
from barriers.study.forms import CrystalStudy
from barriers.study.models import PathSection, Study
from barriers.workflow.placements import fragment_elements


def engine_of(study: Study | CrystalStudy, slab: Structure) -> Engine:
    """Build the engine that a study asks for, so that bare slab and interfaces have the same settings.

    Cutoffs of plane waves follow the elements of a structure. Where those of a fragment would raise them, they are
    raised for the bare slab too: else its barriers could not be compared.

    Parameters
    ----------
    study : Study
        The study.
    slab : Structure
        Its bare slab.
    """
    engine = build_engine(study.engine)
    if isinstance(engine, SurrogateEngine):
        return replace(engine, expensive=_for_all(engine.expensive, study, slab))
    return _for_all(engine, study, slab)


def expensive_one(engine: Engine) -> Engine:
    """Give the engine of a study without the model that it corrects."""
    return engine.expensive if isinstance(engine, SurrogateEngine) else engine


def finder_of(engine: Engine, path: PathSection) -> Engine | None:
    """Give the engine that finds the path first; None where it is the one that the barrier is of."""
    if isinstance(engine, SurrogateEngine):
        return engine.prior
    return MlipEngine() if path.from_ == "mlip" and not isinstance(engine, MlipEngine) else None


def for_interfaces(engine: Any, study: Study | CrystalStudy, slab: Structure) -> Any:
    """Give an engine whose settings are those of a study's interfaces, whatever structure it is for."""
    if not hasattr(engine, "for_elements"):
        return engine
    return engine.for_elements(sorted({*slab.symbol_set, *fragment_elements(study.systems)}))


def _for_all(engine: Any, study: Study | CrystalStudy, slab: Structure) -> Engine:
    raised: Engine = for_interfaces(engine, study, slab)
    unchanged = raised is engine or raised == engine.for_elements(sorted(slab.symbol_set))
    return engine if unchanged else raised  # what is stored of the slab stays known
