"""The referee: all checks of a band."""

from __future__ import annotations

from collections.abc import Iterator

from barriers.parsing.along import along, order_problems
from barriers.parsing.checks import general_checks
from barriers.parsing.consistency import consistent, ends_check, from_several_files, height_check, residual_check
from barriers.parsing.found import Check, FoundBand


def judge(found: FoundBand, fmax: float | None = None) -> list[Check]:
    """Make all checks of a band.

    Parameters
    ----------
    found : FoundBand
        The band; its reader's own checks come first.
    fmax : float or None
        Largest force across the path (eV/Å) that is accepted, whatever the code says of convergence. None: what the
        code calls converged is, anything else up to 0.1 eV/Å.
    """
    checks = [*found.checks, *general_checks(found)]
    if not any(check.name in {"atoms", "frozen atoms unmoved"} and check.verdict == "wrong" for check in checks):
        checks += _along(found, fmax)
    return _accepted(checks, fmax)


def _along(found: FoundBand, fmax: float | None) -> Iterator[Check]:
    """Look along the path: its order, energies against forces, and the forces that are left."""
    broken = order_problems(found)
    yield Check("images in order", "wrong" if broken else "ok", [f"{len(found.images)} images"], "; ".join(broken))
    if broken or any(image.energy is None for image in found.images):
        return
    numbers = along(found)
    yield height_check(numbers.energies)
    if numbers.slopes is not None and not found.fraction:
        yield consistent(numbers.distances, numbers.energies, numbers.slopes, from_several_files(found))
    yield residual_check(found, numbers.residual, fmax)
    if found.structure is not None and all(found.images[which].forces is not None for which in (0, -1)):
        yield ends_check(found, found.structure, numbers.slopes)


def _accepted(checks: list[Check], fmax: float | None) -> list[Check]:
    """Let a band pass whose force is below what was asked for, though its code had not finished."""
    met = any(check.name == "force across the path" and check.verdict == "ok" for check in checks)
    if fmax is None or not met:
        return checks
    return [
        check._replace(verdict="doubtful", says=f"{check.says}; the force across the path is below --fmax {fmax:g}")
        if check.name == "relaxed" and check.verdict == "wrong"
        else check
        for check in checks
    ]
