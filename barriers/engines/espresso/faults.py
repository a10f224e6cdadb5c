"""What goes wrong in ``pw.x`` and ``neb.x``: recognised by the codes' own words, said in one line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Kind = Literal["limit", "scf", "diagonalisation", "bfgs", "symmetry", "path", "final"]


@dataclass(frozen=True)
class Fault:
    """A fault: a pattern of the codes' output, what it means, and what can be done about it.

    Attributes
    ----------
    kind : str
        ``limit`` (a further run continues), ``final``, or one that a handler mends.
    pattern : str
        Regular expression for the output; its groups fill the line.
    line : str
        What the user reads.
    """

    kind: Kind
    pattern: str
    line: str


FAULTS = (
    Fault("limit", r"Maximum CPU time exceeded", "time limit (max_seconds) reached; run again to continue"),
    Fault("limit", r"Program stopped by user request", "stopped by an EXIT file; run again to continue"),
    Fault("limit", r"neb: reached the maximum number of steps", "max_steps iterations used up; run again to continue"),
    Fault("limit", r"The maximum number of steps has been reached", "max_steps steps used up; run again to continue"),
    Fault("path", r"wrong number of images in the restart file", "the path on disk has another number of images"),
    Fault("path", r"End of file", "a file on disk is not whole (End of file)"),
    Fault(
        "diagonalisation",
        r"(problems computing cholesky|S matrix not positive definite|too many bands are not converged|"
        r"zhegvd failed|\[Q, R\] = qr\(X, 0\) failed|eigenvectors failed to converge)",
        "diagonalisation failed: {0}; set diagonalization in engine.keywords, or use fewer processes",
    ),
    Fault(
        "bfgs",
        r"history already reset at previous step",
        "relaxation stuck: BFGS failed twice in a row; start from another structure, or set a smaller conv_thr in "
        "engine.keywords",
    ),
    Fault(
        "symmetry",
        r"original symmetry operations not satisfied",
        "relaxation drifted out of the symmetry that it began with; set nosym: true in engine.keywords",
    ),
    Fault(
        "scf",
        r"Error in routine\s+broyden",
        "charge mixing failed: the Broyden factorisation; set mixing_beta or mixing_ndim in engine.keywords",
    ),
    Fault(
        "scf",
        r"convergence NOT achieved after\s+(\d+) iterations",
        "SCF not converged after {0} cycles; set mixing_beta, electron_maxstep or degauss in engine.keywords",
    ),
    Fault("scf", r"scf convergence NOT achieved on image\s+(\d+)", "SCF not converged on image {0}"),
    Fault(
        "final",
        r'bad line in namelist &(\w+): "\s*(.*?)\s*(?:"|\n)',
        "namelist {0} is refused at or just before {1!r}; mend it in engine.keywords",
    ),
    Fault("final", r"reading namelist (\w+)", "namelist {0} is refused; mend engine.keywords"),
    Fault(
        "final",
        r"readpp[^\n]*\n\s*(?:file )?(\S+) not found",
        "pseudopotential file {0} not found; set engine.pseudo_dir",
    ),
    Fault(
        "final",
        r"images?\s+[\d\s]*(?:and)?[\d\s]*are too close",
        "two images are the same (images are too close); give endpoints that differ",
    ),
    Fault(
        "final",
        r"charge is wrong: smearing is needed",
        "odd number of electrons with fixed occupations (charge is wrong: smearing is needed); set occupations: "
        "smearing, nspin: 2 or tot_charge in engine.keywords",
    ),
    Fault(
        "final",
        r"conflicting values for (\w+)",
        "pseudopotentials of different functionals (conflicting values for {0}); use one set",
    ),
    Fault("final", r"some nodes have no k-points", "more pools than k-points; use a smaller -nk in engine.command"),
    Fault(
        "final",
        r"[Nn]ot enough memory|[Cc]annot allocate memory|Allocation would exceed",
        "not enough memory; use more nodes or fewer images at a time (-ni)",
    ),
    Fault(
        "final",
        r"Error in routine\s+(\S+) \((-?\d+)\):\s*\n\s*([^\n]+?)\s*\n",
        "error in routine {0} ({1}): {2}",
    ),
)


def find_fault(text: str) -> tuple[Fault, str] | None:
    """Recognise the first fault of :data:`FAULTS` in what the codes wrote.

    Returns
    -------
    tuple[Fault, str] or None
        The fault and its line.
    """
    for fault in FAULTS:
        if found := re.search(fault.pattern, text):
            return fault, fault.line.format(*(group or "" for group in found.groups()))
    return None


class EspressoError(RuntimeError):
    """A calculation that failed; one line in the code's own words, with the folder of its files."""


def failure(line: str, folder: Path) -> EspressoError:
    """Error of a calculation; it says something even where nothing was said."""
    said = (
        line or "the code says that it succeeded, but left no results that can be read; remove the folder to run anew"
    )
    return EspressoError(f"{said}; files in {folder}")
