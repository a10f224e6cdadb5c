"""The first bands of a path search: where each start comes from."""

from __future__ import annotations

from typing import Literal

import numpy as np
from ase import Atoms
from pydantic import BaseModel, ConfigDict, Field, model_validator

from barriers.structures.hop.hop import Hop, Site, moving_index
from barriers.structures.path.displaced import displace
from barriers.structures.path.interpolate import checked, interpolate, through
from barriers.structures.path.known import carry, given
from barriers.structures.path.mapping import unwrap
from barriers.structures.surface.slab import FRAGMENT, LAYER


class Start(BaseModel):
    """How one first band is made."""

    model_config = ConfigDict(frozen=True)

    method: Literal["idpp", "linear", "through", "given", "carried", "displaced"] = Field(
        "idpp",
        description="interpolated (IDPP or straight), through a point, from given images, carried over from the bare "
        "slab, or interpolated with the fragment displaced",
    )
    n_images: int = Field(description="intermediate images")
    amplitude: float = Field(0.0, description="size of the displacement (Å)")
    seed: int = Field(0, description="seed of the displacement")
    moving: int | None = Field(None, description="atom that passes the point")
    via: Site | tuple[float, float, float] | None = Field(
        None, description="point that it passes: defined by atoms of the endpoints, or Cartesian (Å)"
    )
    images: list[list[list[float]]] | None = Field(
        None, description="given positions (Å), endpoints included, shape (n, N, 3)"
    )
    least: float = Field(0.0, description="least distance of two atoms in the band (Å)")

    @model_validator(mode="after")
    def _is_complete(self) -> Start:
        if self.method == "through" and (self.moving is None or self.via is None):
            raise ValueError("a start through a point needs moving and via")
        if self.method == "given" and self.images is None:
            raise ValueError("a start from given images needs images")
        return self

    @property
    def name(self) -> str:
        """Name in tables."""
        return f"displaced {self.seed}" if self.method == "displaced" else self.method


def plain_start(
    n_images: int, method: Literal["idpp", "linear"] = "idpp", least: float = 0.0, hop: Hop | None = None
) -> Start:
    """Interpolate between the endpoints, through the place that the hop passes where it passes one.

    Parameters
    ----------
    n_images : int
        Intermediate images.
    method : {"idpp", "linear"}
        Interpolation of a hop that passes no place of its own.
    least : float
        Least distance of two atoms (Å).
    hop : Hop or None
        The hop; a divacancy hop passes its tetrahedral site.
    """
    if hop is None or hop.moving is None or hop.passed is None:
        return Start(method=method, n_images=n_images, least=least)
    return Start(method="through", n_images=n_images, least=least, moving=moving_index(hop, 0), via=hop.passed)


def plan_starts(
    plain: Start, n_starts: int, has_fragment: bool, guided: bool, amplitude: float, seed: int
) -> list[Start]:
    """Choose the starts for one hop in one system.

    A bare slab has one path between relaxed endpoints, so one start. A fragment is soft and gives several: the bare
    slab's converged path first, where there is one, then the interpolation, then seeded displacements.

    Parameters
    ----------
    plain : Start
        The interpolation.
    n_starts : int
        Starts in a system with a fragment.
    has_fragment : bool
        Whether a fragment is there to be displaced.
    guided : bool
        Whether a converged band of the bare slab is there.
    amplitude : float
        Size of the displacements (Å).
    seed : int
        Seed of the first displacement; the next ones count on.
    """
    if not has_fragment:
        return [plain]
    starts = [plain.model_copy(update={"method": "carried"})] if guided else []
    starts.append(plain)
    for number in range(n_starts - len(starts)):
        further = {"method": "displaced", "amplitude": amplitude, "seed": seed + number + 1}
        starts.append(plain.model_copy(update=further))
    return starts[:n_starts]


def first_band(initial: Atoms, final: Atoms, start: Start, guide: np.ndarray | None) -> list[Atoms]:
    """Make the first band of a start, endpoints included.

    Parameters
    ----------
    initial, final : Atoms
        Relaxed endpoints, same atoms in the same order.
    start : Start
        How.
    guide : numpy.ndarray or None
        Positions (Å) of the bare slab's converged band, shape (n, M, 3), for a carried start.

    Raises
    ------
    ValueError
        If a carried start has no guide, or what the start is made of does not fit the endpoints.
    OverlapError
        If two atoms come too near.
    """
    if start.method == "carried":
        if guide is None:
            raise ValueError("a carried start needs the bare slab's converged band")
        images = carry(initial, final, guide, start.n_images)
    elif start.method == "given":
        images = given(initial, final, np.array(start.images), start.n_images)
    elif start.moving is not None and start.via is not None:
        images = through(initial, final, start.n_images, start.moving, _point(initial, final, start.via))
    else:
        images = interpolate(initial, final, start.n_images, "linear" if start.method == "linear" else "idpp")
    if start.method == "displaced":
        fragment = np.flatnonzero(initial.arrays[LAYER] == FRAGMENT).tolist()
        images = displace(images, fragment, start.amplitude, start.seed)
    return checked(images, start.least)


def _point(initial: Atoms, final: Atoms, via: Site | tuple[float, float, float]) -> np.ndarray:
    """Cartesian point (Å); one defined by atoms is half way between those of the two endpoints."""
    if isinstance(via, Site):
        ends = (initial.positions, unwrap(final.positions, initial))
        return np.mean([via.at(positions, initial.cell.array) for positions in ends], axis=0)
    return np.array(via)
