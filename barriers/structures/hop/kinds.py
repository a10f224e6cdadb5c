"""What hops are called: what makes room for the ion, and what it passes."""

from __future__ import annotations

from typing import Literal

SlabKind = Literal["vacancy", "divacancy", "interstitial"]
Kind = Literal[SlabKind, "interstitialcy"]

_Inside = Literal["oxygen dumbbell", "single oxygen", "anion dumbbell", "single anion", "anion triangle", "tetrahedral"]

SlabMechanism = Literal[_Inside, "surface", "open"]
CrystalMechanism = Literal[_Inside, "collinear", "non-collinear", "open"]
Mechanism = Literal[SlabMechanism, CrystalMechanism, "fragment"]

ADDED: tuple[Kind, ...] = ("interstitial", "interstitialcy")
"""Kinds of hops whose ends have one ion more than the crystal."""
