"""Input files of VASP, on the input sets of pymatgen and atomate2."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from atomate2.vasp.sets.base import VaspInputGenerator
from atomate2.vasp.sets.core import NebSetGenerator
from numpy.typing import ArrayLike, NDArray
from pymatgen.core import Structure
from pymatgen.io.vasp import Kpoints, PotcarSingle
from pymatgen.io.vasp.inputs import PmgVaspPspDirError
from pymatgen.io.vasp.sets import MPScanRelaxSet

from barriers.engines.vasp.settings import Physics
from barriers.structures.surface import FRAGMENT, LAYER

LEAST_VACUUM = 6.0
"""A slab has at least this much empty height (Å)."""

LEAST_CLEARANCE = 1.0
"""The plane of the dipole correction stays this far (Å) from every atom."""


@dataclass(frozen=True)
class SiteOrder:
    """The way between the study's order of atoms and VASP's, where atoms of a species stand together.

    Attributes
    ----------
    order : tuple[int, ...]
        The study's index of each atom of the POSCAR.
    """

    order: tuple[int, ...]

    @classmethod
    def of(cls, structure: Structure) -> SiteOrder:
        """Order in which pymatgen sorts a structure's sites."""
        numbered = structure.copy()
        numbered.add_site_property("number", list(range(len(structure))))
        return cls(tuple(int(number) for number in numbered.get_sorted_structure().site_properties["number"]))

    def to_vasp(self, rows: ArrayLike) -> NDArray[Any]:
        """Put rows, one for each atom of the study, into the order of the POSCAR."""
        return np.asarray(rows)[list(self.order)]

    def from_vasp(self, rows: ArrayLike) -> NDArray[Any]:
        """Put rows, one for each atom of the POSCAR, into the study's order."""
        return np.asarray(rows)[np.argsort(self.order)]


def starting_moments(structure: Structure, by_element: dict[str, float]) -> list[float]:
    """Magnetic moment of each site (µB) at the start: the site's own, or its element's."""
    own = structure.site_properties.get("magmom") or [None] * len(structure)
    usual = [by_element.get(site.specie.symbol, 0.0) for site in structure]
    return [float(mine if mine is not None else moment) for mine, moment in zip(own, usual, strict=True)]


def vasp_structure(structure: Structure, moments: Sequence[float], positions: ArrayLike | None = None) -> Structure:
    """Sort a structure as its POSCAR will be, with moments and selective dynamics alone at its sites.

    Parameters
    ----------
    structure : Structure
        In the study's order.
    moments : sequence of float
        Of each site (µB), in the study's order.
    positions : (N, 3) or None
        Other Cartesian positions (Å), in the study's order.
    """
    order = SiteOrder.of(structure)
    free = structure.site_properties.get("selective_dynamics") or [[True] * 3] * len(structure)
    return Structure(
        structure.lattice,
        [structure[index].specie for index in order.order],
        order.to_vasp(structure.cart_coords if positions is None else positions),
        coords_are_cartesian=True,
        site_properties={
            "magmom": order.to_vasp(moments).tolist(),
            "selective_dynamics": order.to_vasp(free).tolist(),
        },
    )


def cell_height(structure: Structure) -> float:
    """Height (Å) of the cell along the normal of its first two vectors."""
    return float(structure.lattice.volume / np.linalg.norm(np.cross(*structure.lattice.matrix[:2])))


def vacuum_height(structure: Structure) -> float:
    """Largest empty height (Å) along the normal of the first two cell vectors."""
    heights = np.sort(structure.frac_coords[:, 2] % 1.0)
    return float(np.diff([*heights, heights[0] + 1.0]).max()) * cell_height(structure)


def slab_centre(structure: Structure) -> float:
    """Fractional height of the middle of the slab; its fragment, where the site property ``layer`` tells, aside.

    Raises
    ------
    ValueError
        If the plane of the dipole correction, half a cell above the middle, would meet atoms.
    """
    layers = structure.site_properties.get(LAYER) or [0] * len(structure)
    heights = structure.frac_coords[[layer != FRAGMENT for layer in layers], 2]
    centre = float(heights.min() + heights.max()) / 2
    away = np.abs((structure.frac_coords[:, 2] - centre) % 1.0 - 0.5) * cell_height(structure)
    if away.min() < LEAST_CLEARANCE:
        raise ValueError(
            f"surface.vacuum: the plane of the dipole correction passes {away.min():.1f} Å from an atom; "
            f"at least {LEAST_CLEARANCE:g} Å are needed, give more vacuum"
        )
    return round(centre % 1.0, 6)


@dataclass
class System:
    """What of a structure decides on its INCAR and KPOINTS besides its sites.

    Attributes
    ----------
    kind : str
        ``bulk``, ``slab`` or ``interface``.
    centre : float or None
        Fractional height of the slab's middle; None for bulk.
    mesh : tuple[int, int, int]
        Γ-centred k-mesh.
    """

    kind: str
    centre: float | None
    mesh: tuple[int, int, int]

    @classmethod
    def of(cls, structure: Structure, settings: dict[str, Any]) -> System:
        """Look at a structure in the study's order, its site property ``layer`` included."""
        dipole = settings["dipole"] if settings["dipole"] is not None else vacuum_height(structure) >= LEAST_VACUUM
        layers = structure.site_properties.get(LAYER) or []
        a, b, c = (max(1, math.ceil(x / settings["kspacing"])) for x in structure.lattice.reciprocal_lattice.abc)
        if not dipole:
            return cls("bulk", None, (a, b, c))
        return cls("interface" if FRAGMENT in layers else "slab", slab_centre(structure), (a, b, 1))


class _OneSided:
    """INCAR and KPOINTS of a preset, laid over what an input set of atomate2 gives."""

    physics: Physics
    calculation: str
    system: System | None
    limits: dict[str, Any]

    def _configure(self) -> dict[str, Any]:
        settings = self.physics.resolved()
        incar = dict(settings["incar"]["common"])
        incar.update(MAGMOM=settings["moments"], LDAUU=settings["hubbard_u"])
        incar.update(LDAUL={element: 2 for element in settings["hubbard_u"]}, LDAUJ={})
        return {
            "INCAR": incar,
            "KPOINTS": {},
            "POTCAR": {**MPScanRelaxSet.CONFIG["POTCAR"], **settings["potcars"]},
            "POTCAR_FUNCTIONAL": settings["potcar_functional"],
        }

    def _updates(self) -> dict[str, Any]:
        assert self.system is not None
        parts = self.physics.resolved()["incar"]
        updates = {**parts["system"][self.system.kind], **parts["calculation"][self.calculation]}
        if self.system.centre is not None:
            updates["DIPOL"] = [0.5, 0.5, self.system.centre]
        return {**updates, **parts["own"], **self.limits}

    @property
    def kpoints_updates(self) -> Kpoints:
        """Γ-centred mesh, one point along the normal of a slab."""
        assert self.system is not None
        return Kpoints.gamma_automatic(self.system.mesh)


@dataclass
class SingleSetGenerator(_OneSided, VaspInputGenerator):
    """Input set of a static calculation or a relaxation.

    Attributes
    ----------
    physics : Physics
        Settings that change the numbers.
    calculation : str
        ``static`` or ``relax``.
    system : System or None
        Set before files are written.
    limits : dict
        Keywords of this run: tolerances, limits, parallel layout. Set before files are written.
    """

    physics: Physics = field(default_factory=Physics)
    calculation: str = "static"
    system: System | None = None
    limits: dict[str, Any] = field(default_factory=dict)
    sort_structure: bool = False
    auto_ismear: bool = False
    inherit_incar: bool = False

    def __post_init__(self) -> None:
        """Take the preset in the place of atomate2's own."""
        self.config_dict = self._configure()
        super().__post_init__()

    @property
    def incar_updates(self) -> dict[str, Any]:
        """The preset's keywords."""
        return self._updates()


@dataclass
class BandSetGenerator(_OneSided, NebSetGenerator):
    """Input set of a band, one INCAR for all images; attributes as of :class:`SingleSetGenerator`.

    ``calculation`` is ``plain`` or ``climbing``.
    """

    physics: Physics = field(default_factory=Physics)
    calculation: str = "plain"
    system: System | None = None
    limits: dict[str, Any] = field(default_factory=dict)
    sort_structure: bool = False

    def __post_init__(self) -> None:
        """Take the preset in the place of atomate2's own."""
        self.config_dict = self._configure()
        self.climbing_image = self.calculation == "climbing"
        super().__post_init__()

    @property
    def incar_updates(self) -> dict[str, Any]:
        """atomate2's keywords for a band, then the preset's."""
        common = self._config_dict["INCAR"]
        usual = {key: common.get(key, value) for key, value in super().incar_updates.items()}
        return {**usual, **self._updates()}


def find_potcars(elements: Collection[str], physics: Physics) -> dict[str, PotcarSingle]:
    """Find the POTCAR of each element through pymatgen's configuration.

    Raises
    ------
    ValueError
        One line for the first that is missing, with element, symbol and the setting to mend.
    """
    settings = physics.resolved()
    symbols = {**MPScanRelaxSet.CONFIG["POTCAR"], **settings["potcars"]}
    functional = settings["potcar_functional"]
    found = {}
    for element in elements:
        symbol = symbols.get(element, element)
        try:
            found[element] = PotcarSingle.from_symbol_and_functional(symbol, functional)
        except (PmgVaspPspDirError, FileNotFoundError, KeyError) as error:
            unset = isinstance(error, PmgVaspPspDirError)
            where = "is not set" if unset else f"has none in the set {functional} (engine.potcar_functional)"
            raise ValueError(
                f"engine.potcars: no POTCAR {symbol!r} for {element}: PMG_VASP_PSP_DIR {where}; "
                "set it with `pmg config --add PMG_VASP_PSP_DIR DIR`, or name another POTCAR"
            ) from error
    return found


def write_band(folder: Path, generator: BandSetGenerator, images: Sequence[Structure]) -> None:
    """Write a band: INCAR, KPOINTS and POTCAR above, POSCAR and KPOINTS in each of the folders 00 … NN.

    Parameters
    ----------
    folder : Path
        Made if it is not there.
    generator : BandSetGenerator
        Where INCAR, KPOINTS and POTCAR come from.
    images : sequence of Structure
        What :func:`vasp_structure` gives for each image, endpoints included.
    """
    generator.num_images = len(images) - 2
    folder.mkdir(parents=True, exist_ok=True)
    generator.get_input_set(images[0]).write_input(folder)
    (folder / "POSCAR").unlink()
    for number, image in enumerate(images):
        place = folder / f"{number:02d}"
        place.mkdir(exist_ok=True)
        image.to(filename=str(place / "POSCAR"), fmt="poscar")
        # VASP 6 with HDF5 compares the KPOINTS of each image with those above, and stops where there are none.
        generator.kpoints_updates.write_file(str(place / "KPOINTS"))
