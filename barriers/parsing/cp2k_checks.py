"""What goes wrong in bands of CP2K without a word in its output."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from ase import units

from barriers.parsing.cp2k_inputs import Setup
from barriers.parsing.ends import check_ends
from barriers.parsing.files import plain_name, read_text
from barriers.parsing.found import Check, FoundBand

MOVED = 1e-3
"""An atom that is held fixed lies where it was to this (Å)."""
FRAMES = "set ALIGN_FRAMES F and ROTATE_FRAMES F in &BAND"


def judge(found: FoundBand, setup: Setup, project: str, step: int) -> None:
    """Check frames, ends, electrons and convergence of the step that was read."""
    found.checks += [_frames(found, setup), check_ends(found, "unwrap the last &REPLICA and run it again")]
    files = {int(match[1]): path for path in sorted(found.folder.iterdir()) if (match := _band_output(path, project))}
    for number, image in enumerate(found.images, 1):
        if number in files:
            image.electrons = _electrons(read_text(files[number]))
    last = files.get(len(found.images))
    with_forces = all(image.forces is not None for image in found.images)
    check, found.criterion = _converged(last, len(found.images), project, step, with_forces)
    found.checks.append(check)
    for image in found.images[1:-1]:
        image.relaxed = True if found.criterion else None
    if last is not None:
        for image in found.images:
            image.files = [*image.files, str(last)]


def _band_output(path: Path, project: str) -> re.Match[str] | None:
    return re.fullmatch(re.escape(project) + r"-BAND(\d+)\.out", plain_name(path))


def _frames(found: FoundBand, setup: Setup) -> Check:
    """See whether CP2K turned or shifted a periodic system, as it does unless it is told not to."""
    asked = [f"{name} {'T' if value else 'F'}" for name, value in setup.frames.items()]
    if not any(setup.pbc) or not any(setup.frames.values()):
        return Check("frames", "ok", [", ".join(asked)])
    held = ~setup.free.any(axis=1)
    positions = np.array([image.positions[held] for image in found.images])
    moved = float(np.abs(positions - positions[0]).max()) if held.any() else 0.0
    if moved > MOVED:
        says = f"CP2K turned or shifted the images of a periodic system: fixed atoms are {moved:.2f} Å off; {FRAMES}"
        return Check("frames", "wrong", [", ".join(asked)], says)
    if setup.frames["ROTATE_FRAMES"] and not held.any():
        says = f"CP2K may have turned the images of a periodic system, which changes their energies; {FRAMES}"
        return Check("frames", "doubtful", [", ".join(asked)], says)
    return Check("frames", "ok", [", ".join(asked)])


def _electrons(text: str) -> bool | None:
    said = re.findall(r"SCF run (NOT )?converged", text)
    return None if not said else said[-1] == ""


def _converged(path: Path | None, images: int, project: str, step: int, with_forces: bool) -> tuple[Check, str | None]:
    """Read the last table of ``PROJECT-BAND<last>.out``; its four lines stand nowhere else."""
    name = "relaxed"
    missing = f"{project}-BAND{images}.out"
    text = "" if path is None else read_text(path)
    table = re.findall(r"(RMS|MAX) (DISPLACEMENT|FORCE) += +\S+ +\[ *(\S+)\] +\( *(YES|NO)\)", text)[-4:]
    steps = re.findall(r"Band +Step +Nr\. +: +(\d+)", text)
    if len(table) < 4 or not steps or int(steps[-1]) != step:
        says = f"CP2K says only in {missing} whether a band converged, and that is not here or of another step"
        if not with_forces:
            return Check(name, "wrong", ["no table"], f"{says}; copy it, or an output printed at MEDIUM"), None
        return Check(name, "doubtful", ["no table"], f"{says}; the force across the path was looked at"), None
    unmet = [f"{kind} {what}" for kind, what, _, met in table if met == "NO"]
    if unmet:
        says = f"{', '.join(unmet)} not converged at step {step} in {path}: steps were used up; raise MAX_STEPS"
        return Check(name, "wrong", [f"step {step}: {', '.join(unmet)} ( NO)"], says), None
    limit = next(float(limit) for kind, what, limit, _ in table if (kind, what) == ("MAX", "FORCE"))
    criterion = f"MAX_FORCE {limit * units.Hartree / units.Bohr:.3g} eV/Å"
    return Check(name, "ok", [f"{criterion} at step {step}"]), criterion
