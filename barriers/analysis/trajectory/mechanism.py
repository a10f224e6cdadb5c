"""How an ion moves: with the chain that it is bound to, with its anions, or from shell to shell."""

from __future__ import annotations

from math import inf, sqrt

import numpy as np
from pydantic import BaseModel, Field

from barriers.analysis.trajectory.contacts import Contacts
from barriers.analysis.trajectory.frames import Floats, Ints
from barriers.analysis.trajectory.regime import FAR, duration, jackknife

CARRIED, ALONE = 0.5, 0.25
"""Shares of an ion's displacement above which a partner carries it, and below which it goes without it."""

MOVED = 2.0
"""An ion that moves less than this (Å) has left no shell: its mechanism cannot be told."""

GONE = 0.5
"""Ions of which less moves with the same partners at both ends have exchanged them."""

SELDOM = 0.1
"""A partner that fewer ions than this share are bound to decides nothing."""

ORIGINS = 200
"""Most time origins that displacements are compared from."""


class PartnerDoc(BaseModel):
    """How much of the ion's displacement one kind of partner shares."""

    partner: str = Field(description="chains, or an anion")
    share: float = Field(description="⟨Δion·Δpartner⟩/⟨Δion²⟩, partner atoms being those bound at the start")
    share_error: float = Field(description="its standard error")
    kept: float = Field(description="share of ⟨Δion²⟩ by ions that are bound to the same molecule again at the end")
    bound: float = Field(description="share of ions that are bound to such a partner at the start")


class MechanismDoc(BaseModel):
    """What the ion moves with, and the sentence that follows."""

    lag: float = Field(description="over which displacements were compared (ps)")
    moved: float = Field(description="how far the ion goes meanwhile (Å, root mean square)")
    partners: list[PartnerDoc]
    sentence: str


def lag_for(lags: Ints, msd: Floats) -> int:
    """Lag (frames) after which the ion has left its place: MSD above 25 Å², or half of the trajectory."""
    far = np.flatnonzero(msd >= FAR)
    return int(lags[far[0]] if far.size else lags[-1])


def partner(name: str, boxes: list[tuple[Floats, Contacts, Ints]], lag: int) -> PartnerDoc | None:
    """Compare displacements of ions with those of the atoms that bind them at the start.

    Parameters
    ----------
    name : str
        Of the partner.
    boxes : list of ((T, N, 3), Contacts, (A,))
        Unwrapped positions (Å) of each box, its contacts, and to which molecule of this kind each of their atoms
        belongs, counted from 0; −1 for atoms of others.
    lag : int
        In frames.

    Returns
    -------
    PartnerDoc or None
        None where no ion is ever bound to one.
    """
    common, own, kept, bound = np.concatenate([_sums(*box, lag) for box in boxes], axis=1)
    if not own.sum():
        return None
    rest = [(common.sum() - c) / (own.sum() - o) for c, o in zip(common, own, strict=True) if own.sum() > o]
    error = jackknife(rest)
    return PartnerDoc(
        partner=name,
        share=float(common.sum() / own.sum()),
        share_error=error,
        kept=float(kept.sum() / own.sum()),
        bound=float(bound.mean()),
    )


def _sums(paths: Floats, found: Contacts, groups: Ints, lag: int) -> Floats:
    """Sum over origins for each ion, (4, M): Δion·Δpartner, Δion² while bound, of it bound as before, times bound."""
    touch = found.touching(groups)
    origins = np.flatnonzero(found.frames + lag < len(paths))
    origins = origins[:: -(-len(origins) // ORIGINS)]
    sums = np.zeros((4, len(found.ions)))
    for origin in origins:
        start = found.frames[origin]
        moved = paths[start + lag].astype(float) - paths[start]
        mine = (found.frame == origin) & (groups[found.atom] >= 0)
        ion, atom = found.ion[mine], found.atoms[found.atom[mine]]
        count = np.bincount(ion, minlength=len(found.ions))
        total = np.stack([np.bincount(ion, moved[atom, x], len(found.ions)) for x in range(3)], axis=1)
        here, shell = moved[found.ions], total / np.maximum(count, 1)[:, None]
        then = min(int(np.searchsorted(found.frames, start + lag)), len(touch) - 1)
        own = np.where(count > 0, np.einsum("nx,nx->n", here, here), 0.0)
        stayed = (touch[origin] & touch[then]).sum(axis=1) / np.maximum(touch[origin].sum(axis=1), 1)
        sums += [np.einsum("nx,nx->n", here, shell), own, own * stayed, (count > 0) / len(origins)]
    return sums


def mechanism(ion: str, lag: float, msd: float, partners: list[PartnerDoc]) -> MechanismDoc:
    """Say in one sentence what the ion moves with, as far as numbers and their errors tell it apart."""
    moved = sqrt(msd)
    over = f"over {duration(lag)} {ion} moves {moved:.1f} Å (rms)"
    shares = ", ".join(
        f"{100 * each.share:z.0f} ± {100 * each.share_error:.0f} % of it with {each.partner} bound at the start "
        f"({100 * each.kept:.0f} % by ions that keep them)"
        for each in partners
        if each.share_error < inf
    )
    return MechanismDoc(
        lag=lag, moved=moved, partners=partners, sentence=f"{over}, {shares}: {_verdict(moved, partners)}"
    )


def _verdict(moved: float, partners: list[PartnerDoc]) -> str:
    known = [each for each in partners if each.share_error < inf and each.bound > SELDOM]
    if moved < MOVED:
        return f"no mechanism can be told, it has left no shell (less than {MOVED:.0f} Å)"
    if not known:
        return "nothing that binds it was found, no mechanism can be told"
    carrying = [each for each in known if each.share - 2 * each.share_error > CARRIED]
    if carrying:
        with_whom = " and ".join(each.partner for each in carrying)
        return f"it moves mostly with {with_whom}, not by hopping"
    alone = all(each.share + 2 * each.share_error < ALONE for each in known)
    if alone and all(each.kept < GONE for each in known):
        return "it moves by exchanging its shell, hopping from partner to partner"
    if alone:
        return "it moves within shells that it keeps, without being carried: along chains or between their sites"
    return "carried and hopping parts are both there, or not told apart by these errors"
