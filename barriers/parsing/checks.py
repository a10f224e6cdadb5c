"""The referee: what must hold for any band, whatever code made it."""

from __future__ import annotations

from barriers.parsing.found import Check, FoundBand


def check_settings(found: FoundBand) -> list[Check]:
    """Compare what enters the energies: every name that two images tell must have one value.

    A name that only some of the images tell is unknown, not wrong.
    """
    names = dict.fromkeys(name for image in found.images for name in image.settings)
    return [_same(name, [image.settings.get(name) for image in found.images]) for name in names]


def _same(name: str, values: list[str | None]) -> Check:
    seen = [value or "unknown" for value in values]
    if len(different := dict.fromkeys(value for value in values if value is not None)) > 1:
        images = {value: [str(n) for n, each in enumerate(values) if each == value] for value in different}
        told = "; ".join(f"{value} in image {', '.join(numbers)}" for value, numbers in images.items())
        return Check(name, "wrong", seen, f"{name} differs: {told}; energies of these images cannot be compared")
    return Check(name, "ok" if None not in values else "unknown", seen)
