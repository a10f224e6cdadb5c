"""Li⁺ migration barriers at cathode surfaces, bare and with polymer fragments on them.

The names below are loaded when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from barriers.analysis.correlation import correlation_factor as correlation_factor
    from barriers.analysis.diffusion import vacancy_diffusion as vacancy_diffusion
    from barriers.analysis.kinetics import arrhenius as arrhenius
    from barriers.analysis.kinetics import ratio as ratio
    from barriers.analysis.network import Jumps as Jumps
    from barriers.analysis.network import as_graph as as_graph
    from barriers.analysis.network import dimension as dimension
    from barriers.analysis.network import percolation as percolation
    from barriers.analysis.network_document import NetworkDoc as NetworkDoc
    from barriers.analysis.network_result import network_result as network_result
    from barriers.analysis.profile import analyse as analyse
    from barriers.analysis.segments import Segment as Segment
    from barriers.analysis.segments import analyse_segments as analyse_segments
    from barriers.analysis.vibrations import atoms_around as atoms_around
    from barriers.dispatch.fireworks.collect import collect as collect
    from barriers.dispatch.fireworks.config import find_cluster as find_cluster
    from barriers.dispatch.fireworks.launch import launch as launch
    from barriers.dispatch.fireworks.submit import submit as submit
    from barriers.dispatch.identity import identify as identify
    from barriers.dispatch.lattice import relax_lattice as relax_lattice
    from barriers.dispatch.local import run as run
    from barriers.documents import BandDoc as BandDoc
    from barriers.documents import BarrierDoc as BarrierDoc
    from barriers.documents import RelaxDoc as RelaxDoc
    from barriers.documents import StaticDoc as StaticDoc
    from barriers.documents import StudyDoc as StudyDoc
    from barriers.engines.adapter import as_calculator as as_calculator
    from barriers.engines.density import DensityDoc as DensityDoc
    from barriers.engines.espresso import EspressoEngine as EspressoEngine
    from barriers.engines.espresso.density import DensityMaker as DensityMaker
    from barriers.engines.espresso.image import image_electrons as image_electrons
    from barriers.engines.mlip import MlipEngine as MlipEngine
    from barriers.engines.protocol import Engine as Engine
    from barriers.engines.pyscf import PyscfEngine as PyscfEngine
    from barriers.engines.surrogate import SurrogateEngine as SurrogateEngine
    from barriers.engines.vasp.engine import VaspEngine as VaspEngine
    from barriers.files.corrected import corrected_calculator as corrected_calculator
    from barriers.files.density import read_density as read_density
    from barriers.files.structures import read_endpoints as read_endpoints
    from barriers.files.structures import to_structure as to_structure
    from barriers.report.comparison import comparison_latex as comparison_latex
    from barriers.report.density import write_density as write_density
    from barriers.report.figures.arrhenius import draw_arrhenius as draw_arrhenius
    from barriers.report.figures.charges import draw_charges as draw_charges
    from barriers.report.figures.convergence import draw_convergence as draw_convergence
    from barriers.report.figures.density import draw_difference as draw_difference
    from barriers.report.figures.density import draw_planar_average as draw_planar_average
    from barriers.report.figures.elf import draw_elf as draw_elf
    from barriers.report.figures.paths import draw_path as draw_path
    from barriers.report.figures.profiles import draw_profile as draw_profile
    from barriers.report.figures.profiles import draw_profiles as draw_profiles
    from barriers.report.figures.states import draw_states as draw_states
    from barriers.report.folder import read_results as read_results
    from barriers.report.folder import write_results as write_results
    from barriers.report.html.page import write_report as write_report
    from barriers.report.sheet import Drawn as Drawn
    from barriers.report.sheet import contact_sheet as contact_sheet
    from barriers.report.style import save_figure as save_figure
    from barriers.structures.cathode.counts import achieved as achieved
    from barriers.structures.cathode.crystal import bulk as bulk
    from barriers.structures.cathode.crystal import cathode_of as cathode_of
    from barriers.structures.cathode.crystal import known_cathodes as known_cathodes
    from barriers.structures.cathode.lithium import exchange_antisites as exchange_antisites
    from barriers.structures.cathode.lithium import lithium_to_remove as lithium_to_remove
    from barriers.structures.cathode.ordering import order_metals as order_metals
    from barriers.structures.hop.choice import select_hops as select_hops
    from barriers.structures.hop.hop import Hop as Hop
    from barriers.structures.hop.hop import final_in_initial_order as final_in_initial_order
    from barriers.structures.hop.hop import hop_ends as hop_ends
    from barriers.structures.hop.hop import make_endpoint as make_endpoint
    from barriers.structures.hop.search import find_hops as find_hops
    from barriers.structures.interface.contacts import fragment_gap as fragment_gap
    from barriers.structures.interface.contacts import image_distance as image_distance
    from barriers.structures.interface.contacts import surface_bonds as surface_bonds
    from barriers.structures.interface.coverage import cover as cover
    from barriers.structures.interface.coverage import fragments_for as fragments_for
    from barriers.structures.interface.placement import place_at_distance as place_at_distance
    from barriers.structures.interface.placement import place_bonded as place_bonded
    from barriers.structures.interface.sites import points_over as points_over
    from barriers.structures.interface.sites import surface_sites as surface_sites
    from barriers.structures.network.network import Network as Network
    from barriers.structures.network.network import find_added_network as find_added_network
    from barriers.structures.network.network import find_network as find_network
    from barriers.structures.network.ordered import order_sites as order_sites
    from barriers.structures.network.sites import find_sites as find_sites
    from barriers.structures.polymer.fragment import build_fragment as build_fragment
    from barriers.structures.polymer.molecules import reaction_molecule as reaction_molecule
    from barriers.structures.polymer.reactions import known_reactions as known_reactions
    from barriers.structures.polymer.species import parse_reaction as parse_reaction
    from barriers.structures.surface.edits import rattle as rattle
    from barriers.structures.surface.edits import with_species as with_species
    from barriers.structures.surface.edits import without as without
    from barriers.structures.surface.slab import cut_slab as cut_slab
    from barriers.structures.surface.terminations import terminations as terminations
    from barriers.study.crystal import CrystalHopSection as CrystalHopSection
    from barriers.study.crystal import CrystalSection as CrystalSection
    from barriers.study.errors import StudyError as StudyError
    from barriers.study.file import load_study as load_study
    from barriers.study.file import read_study as read_study
    from barriers.study.forms import CrystalStudy as CrystalStudy
    from barriers.study.models import CathodeSection as CathodeSection
    from barriers.study.models import ComparisonSection as ComparisonSection
    from barriers.study.models import EndpointsSection as EndpointsSection
    from barriers.study.models import EndpointStudy as EndpointStudy
    from barriers.study.models import EspressoSection as EspressoSection
    from barriers.study.models import FragmentSection as FragmentSection
    from barriers.study.models import HopSection as HopSection
    from barriers.study.models import MlipSection as MlipSection
    from barriers.study.models import NebSection as NebSection
    from barriers.study.models import PathSection as PathSection
    from barriers.study.models import PlacementSection as PlacementSection
    from barriers.study.models import RelaxSection as RelaxSection
    from barriers.study.models import Study as Study
    from barriers.study.models import SurfaceSection as SurfaceSection
    from barriers.study.models import SystemSection as SystemSection
    from barriers.study.models import VaspSection as VaspSection
    from barriers.workflow.adsorption import AdsorptionMaker as AdsorptionMaker
    from barriers.workflow.attempt_frequency import AttemptFrequencyMaker as AttemptFrequencyMaker
    from barriers.workflow.barrier import BarrierMaker as BarrierMaker
    from barriers.workflow.barrier import pair_flow as pair_flow
    from barriers.workflow.labels import barrier_outputs as barrier_outputs
    from barriers.workflow.reactions import ReactionMaker as ReactionMaker
    from barriers.workflow.study import StudyMaker as StudyMaker

_HOMES = {
    alias.name: node.module
    for block in ast.parse(Path(__file__).read_text("utf-8")).body
    if isinstance(block, ast.If)
    for node in block.body
    if isinstance(node, ast.ImportFrom) and node.module
    for alias in node.names
}
"""Module of each public name, read off the imports above, which only type checkers make."""

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'barriers' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
