"""Input files of VASP, on the input sets of pymatgen and atomate2."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from atomate2.vasp.sets.base import VaspInputGenerator
from atomate2.vasp.sets.core import NebSetGenerator
from numpy.typing import ArrayLike, NDArray
from pymatgen.core import Structure
from pymatgen.io.vasp import Kpoints
from pymatgen.io.vasp.sets import MPScanRelaxSet

from barriers.contents import unlike_default
from barriers.engines.vasp.potcars import what_counts
from barriers.engines.vasp.settings import Physics
from barriers.engines.vasp.system import System


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


FOLLOWS = {
    "config_dict", "user_potcar_functional", "climbing_image", "num_images", "physics", "calculation", "system",
    "limits", "structure",
}  # fmt: skip
"""Fields of an input set that follow from the settings, the maker and the structure, or are the structure."""


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
        incar.update(LDAUL=dict.fromkeys(settings["hubbard_u"], 2), LDAUJ={})
        return {
            "INCAR": incar,
            "KPOINTS": {},
            "POTCAR": {**MPScanRelaxSet.CONFIG["POTCAR"], **settings["potcars"]},
            "POTCAR_FUNCTIONAL": settings["potcar_functional"],
        }

    def identity(self, elements: Collection[str] | None = None) -> dict[str, Any]:
        """Say which settings and POTCARs the numbers rest on; see :class:`~barriers.engines.base.EngineMaker`."""
        own = {name: value for name, value in unlike_default(self).items() if name not in FOLLOWS}
        return {"engine": "vasp", **what_counts(self.physics, elements), "input set": own}

    def _updates(self) -> dict[str, Any]:
        assert self.system is not None
        settings = self.physics.resolved()
        parts = settings["incar"]
        updates = {**parts["system"][self.system.kind], **parts["calculation"][self.calculation]}
        if self.system.centre is not None:
            updates["DIPOL"] = [0.5, 0.5, self.system.centre]
        updates |= parts["own"]
        if fine := settings.get("fine"):
            usual = updates.get("EDIFF", parts["common"]["EDIFF"])
            updates |= {**fine, "EDIFF": min(fine["EDIFF"], usual)}
        return {**updates, **self.limits}

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


def write_band(
    folder: Path, generator: BandSetGenerator, images: Sequence[Structure], potcar_list: bool = False
) -> None:
    """Write a band: INCAR, KPOINTS and POTCAR above, POSCAR and KPOINTS in each of the folders 00 … NN.

    Parameters
    ----------
    folder : Path
        Made if it is not there.
    generator : BandSetGenerator
        Where INCAR, KPOINTS and POTCAR come from.
    images : sequence of Structure
        What :func:`vasp_structure` gives for each image, endpoints included.
    potcar_list : bool
        Write the names of the POTCARs (``POTCAR.spec``) instead of a POTCAR, which then needs not be here.
    """
    generator.num_images = len(images) - 2
    folder.mkdir(parents=True, exist_ok=True)
    generator.get_input_set(images[0], potcar_spec=potcar_list).write_input(folder)
    (folder / "POSCAR").unlink()
    for number, image in enumerate(images):
        place = folder / f"{number:02d}"
        place.mkdir(exist_ok=True)
        image.to(filename=str(place / "POSCAR"), fmt="poscar")
        # VASP 6 with HDF5 compares the KPOINTS of each image with those above, and stops where there are none.
        generator.kpoints_updates.write_file(str(place / "KPOINTS"))
