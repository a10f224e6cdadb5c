"""Intermediate minima of a path: how deep they are, and whether an end of the path slides into one."""

from __future__ import annotations

import numpy as np

from barriers.analysis.curves import SHALLOWEST
from barriers.analysis.profile import Profile

DEEP = 0.02
"""A minimum at least that deep (eV) is a state of its own: less than the thermal energy at room temperature."""


def deepest(profile: Profile) -> float | None:
    """Say where along a path (Å) its deepest minimum is, by the lower of the climbs out of it; None for none."""
    along, energies = np.array(profile.curve_distance), np.array(profile.curve_energy)
    depths = {
        dip["distance"]: min(energies[side].max() for side in (along <= dip["distance"], along >= dip["distance"]))
        - dip["energy"]
        for dip in profile.minima
    }
    place = max(depths, key=lambda distance: depths[distance], default=None)
    return place if place is not None and depths[place] >= DEEP else None


def slides(profile: Profile, place: float) -> tuple[bool, bool]:
    """Say of each end whether nothing bars its way to a place on the path (Å)."""
    along, energies = np.array(profile.curve_distance), np.array(profile.curve_energy)
    tops = energies[along <= place].max(), energies[along >= place].max() - profile.reaction_energy
    return bool(tops[0] < SHALLOWEST), bool(tops[1] < SHALLOWEST)


def is_closed(profile: Profile) -> bool:
    """Whether both ends slide into a minimum between them: there is no saddle to climb."""
    place = deepest(profile)
    return place is not None and all(slides(profile, place))
