"""Transport in a matrix: as tables, as JSON and CSV, and the files of a folder."""

from __future__ import annotations

from math import floor, log10
from pathlib import Path
from typing import Any

from rich.table import Table

from barriers.analysis.trajectory.documents import MotionDoc, TransportDoc
from barriers.analysis.trajectory.regime import FAR, HIGH, LOW, duration
from barriers.disk import writes_folder
from barriers.report.figures.transport import draw_msd, draw_pairing, draw_shells, draw_van_hove
from barriers.report.numbers import NONE
from barriers.report.style import save_figure
from barriers.report.tables import write_rows

NAME = "transport"
"""Name of the files."""

CRITERION = (
    f"D only where {LOW:g} < α < {HIGH:g} over a decade of lag and the MSD is above {FAR:.0f} Å² at its end; "
    "± one standard error"
)


def motions_table(document: TransportDoc) -> Table:
    """Lay out how each kind of particles moves, a row each."""
    table = Table(header_style="bold", caption=CRITERION, caption_justify="left")
    table.add_column("Particles", no_wrap=True)
    for heading in ("Number", "Window (ps)", "α", "MSD (Å²)", "D (cm²/s)"):
        table.add_column(heading, justify="right", no_wrap=True)
    for motion in document.motions:
        table.add_row(motion.name, str(motion.count), *cells_of(motion))
    return table


def shells_table(document: TransportDoc) -> Table:
    """Lay out the first shells of the ion, a row each."""
    table = Table(header_style="bold", caption="cutoff: the first minimum of g(r)", caption_justify="left")
    table.add_column("Shell", no_wrap=True)
    for heading in ("Peak (Å)", "Cutoff (Å)", "Atoms"):
        table.add_column(heading, justify="right", no_wrap=True)
    for shell in document.shells:
        distances = [NONE if each is None else f"{each:.2f}" for each in (shell.peak, shell.cutoff)]
        table.add_row(
            f"{document.matrix.ion}-{shell.element}", *distances, _plus_minus(shell.number, shell.number_error)
        )
    return table


def sentences(document: TransportDoc) -> list[str]:
    """Say in words what stands in no table: refusals, pairing, residence, conductivity, and the mechanism last."""
    lines = [f"{motion.name}: {motion.regime.reason}" for motion in document.motions if motion.regime.reason]
    if (pairs := document.pairing) is not None:
        shares = zip(
            ("free", "in contact pairs", "in aggregates"), (pairs.free, pairs.pair, pairs.aggregate), strict=True
        )
        said = [
            f"{100 * share:.0f} ± {100 * e:.0f} % {what}" for (what, share), e in zip(shares, pairs.errors, strict=True)
        ]
        lines.append(f"{document.matrix.ion}: {', '.join(said)}")
    for stay in document.residences:
        bound = "" if stay.bound == "exact" else f"{stay.bound} "
        moved = "" if stay.moved is None else f", in which {document.matrix.ion} moves {stay.moved:.1f} Å"
        lines.append(f"contact with {stay.partner}: {bound}{duration(stay.time or 0.0)}{moved}")
    return [*lines, *_conductivity(document), document.mechanism.sentence]


def notes(document: TransportDoc) -> list[str]:
    """Say what the numbers rest on."""
    matrix = document.matrix
    spread = "" if matrix.density_spread is None else f" ± {matrix.density_spread:.3f} (spread of boxes)"
    of = ", ".join([f"{matrix.ions} {matrix.ion}", *(f"{count} {name}" for name, count in matrix.anions.items())])
    chains = f", {matrix.chains} chains of {matrix.backbone:.3g} backbone atoms" if matrix.chains else ""
    others = "".join(f", {count} {formula}" for formula, count in matrix.others.items())
    drift = f"the drift of the centre of mass was taken off ({document.drift:.2g} Å at most)"
    return [
        f"{len(document.files)} box{'es' * (len(document.files) > 1)} of {of}{chains}{others}; "
        f"{matrix.density:.3f}{spread} g/cm³; {duration(document.length)}, a frame each {document.step:g} ps; {drift}",
        *document.notes,
    ]


def transport_json(document: TransportDoc) -> dict[str, Any]:
    """Give all numbers and sentences, ready for JSON."""
    return document.model_dump(mode="json") | {"sentences": sentences(document)}


@writes_folder
def write_transport(document: TransportDoc, folder: Path) -> list[Path]:
    """Write a document, its tables and figures.

    Returns
    -------
    list[Path]
        ``transport.json``; ``msd``, ``rdf``, ``van_hove`` and ``pairing`` as CSV and figures (PNG, SVG, PDF).
    """
    folder.mkdir(parents=True, exist_ok=True)
    whole = folder / f"{NAME}.json"
    whole.write_text(document.model_dump_json(indent=1), "utf-8")
    tables = {
        "msd": (msd_rows(document), draw_msd),
        "rdf": (rdf_rows(document), draw_shells),
        "van_hove": (van_hove_rows(document), draw_van_hove),
        "pairing": (pairing_rows(document), draw_pairing),
    }
    written = [whole]
    for name, (rows, draw) in tables.items():
        if rows:
            write_rows(rows, folder / f"{name}.csv")
            written += [folder / f"{name}.csv", *save_figure(draw(document), folder / name)]
    return written


def msd_rows(document: TransportDoc) -> list[dict[str, Any]]:
    """Mean squared displacements (Å²) and exponents over lags (ps)."""
    columns = ("lags", "msd", "msd_error", "alpha")
    return [
        {"particles": motion.name, "lag": lag, "msd": msd, "msd_error": error, "alpha": alpha}
        for motion in document.motions
        for lag, msd, error, alpha in zip(*(getattr(motion, name) for name in columns), strict=True)
    ]


def rdf_rows(document: TransportDoc) -> list[dict[str, Any]]:
    """Radial distribution functions over distances (Å)."""
    ion = document.matrix.ion
    return [
        {"pair": f"{ion}-{shell.element}", "r": r, "g": g}
        for shell in document.shells
        for r, g in zip(shell.r, shell.g, strict=True)
    ]


def van_hove_rows(document: TransportDoc) -> list[dict[str, Any]]:
    """Self part of van Hove's function, 4πr²G (1/Å), over distances (Å)."""
    return [
        {"lag": each.lag, "r": r, "density": density}
        for each in document.van_hove
        for r, density in zip(each.r, each.density, strict=True)
    ]


def pairing_rows(document: TransportDoc) -> list[dict[str, Any]]:
    """Shares of the ions by their anions."""
    if (pairs := document.pairing) is None:
        return []
    shares = {"free": pairs.free, "pair": pairs.pair, "aggregate": pairs.aggregate}
    return [
        {"state": state, "share": share, "error": error}
        for (state, share), error in zip(shares.items(), pairs.errors, strict=True)
    ]


def cells_of(motion: MotionDoc) -> list[str]:
    """Write down a motion: its window, α, MSD at the window's end, and D."""
    found = motion.regime
    return [
        f"{found.start:.3g} to {found.end:.3g}",
        _plus_minus(found.alpha, found.alpha_error),
        f"{found.msd:.3g}",
        "none" if found.diffusivity is None else _scientific(found.diffusivity, found.diffusivity_error or 0.0),
    ]


def _plus_minus(value: float | None, error: float | None) -> str:
    if value is None:
        return NONE
    return f"{value:.2f}" if error is None else f"{value:.2f} ± {error:.2f}"


def _scientific(value: float, error: float) -> str:
    """Write a number with its error and their power of ten: ``(4.5 ± 0.3)e-06``."""
    power = floor(log10(abs(value))) if value else 0
    return f"({value / 10**power:.1f} ± {error / 10**power:.1f})e{power:+03d}"


def _conductivity(document: TransportDoc) -> list[str]:
    found = document.conductivity
    if found is None:
        return []
    if found.nernst_einstein is None:
        return [found.reason or ""]
    alone = _scientific(found.nernst_einstein, found.nernst_einstein_error or 0.0)
    if found.collective is None:
        return [
            f"conductivity at {found.temperature:g} K: {alone} S/cm by Nernst and Einstein; that of all together is "
            "not known, single boxes have no D"
        ]
    together = _scientific(found.collective, found.collective_error or 0.0)
    share = _plus_minus(found.transference, found.transference_error)
    whole = _plus_minus(found.transference_collective, found.transference_collective_error)
    correlated = "" if found.transference_collective is None else f", {whole} with correlations"
    return [
        f"conductivity at {found.temperature:g} K: {alone} S/cm by Nernst and Einstein, {together} S/cm of all "
        f"together; transference number {share}{correlated}"
    ]
