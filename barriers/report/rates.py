"""What barriers mean for transport: jump rates, diffusion coefficients and their ratios, as a table and a figure."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, hypot, log
from pathlib import Path
from typing import Any, cast

from rich.table import Table

from barriers.analysis.energetics import KineticsDoc
from barriers.analysis.kinetics import USUAL_ATTEMPT_FREQUENCY, Network, arrhenius, ratio, times
from barriers.disk import writes_folder
from barriers.documents import BarrierDoc, StudyDoc
from barriers.engines.mlip.known_error import KnownError, known_error
from barriers.files.structures import kind_of_hop
from barriers.report.numbers import NONE

USUAL_TEMPERATURES = (250.0, 300.0, 350.0, 400.0)
"""Where none are asked for (K)."""

LEAST = 1e-3
"""No barrier is known better than this (eV), whatever its fits agree to: so no rate is certain."""


def rate_rows(
    study: StudyDoc,
    temperatures: Sequence[float] | None = None,
    attempt_frequency: float | None = None,
    network: Network | None = None,
) -> list[dict[str, Any]]:
    """Tabulate rates over temperature, a row for each barrier and temperature.

    Parameters
    ----------
    study : StudyDoc
        The outcome of a study.
    temperatures : Sequence[float] or None
        In K; those of the study's ``kinetics`` if None, or :data:`USUAL_TEMPERATURES`.
    attempt_frequency : float or None
        The same for all systems (Hz); if None that computed for each hop, or the usual 1e13 Hz.
    network : (int, int) or None
        Sites that can be jumped to, and dimensions of their network, as for
        :func:`barriers.analysis.kinetics.diffusivity`; those of the study's ``kinetics`` if None. No hop says them by
        itself: without them there is no D.

    Returns
    -------
    list[dict[str, Any]]
        ``system``, ``hop``, ``attempt_frequency`` (Hz) and whether it was ``computed``, ``temperature`` (K), ``rate``
        (1/s), ``diffusivity`` (cm²/s) and the ``jump_length`` (Å) in it, both None where several ions jump together,
        the first also without ``network``; ``model_factor`` and ``factor`` by which rate and diffusivity may be larger
        or smaller for the model's own error, None where that is not known, and for the band's; and ``ratio`` to the
        reference with ``ratio_low`` and ``ratio_high``, which hold both. None without a barrier, or where the two must
        not be compared; the reference itself has a ratio of 1 without limits.

    Raises
    ------
    ValueError
        If a number is out of its limits.
    """
    kinetics = study.kinetics or KineticsDoc(frequencies=[], temperatures=list(USUAL_TEMPERATURES))
    network = network or cast("Network | None", kinetics.network)

    def frequency(barrier: BarrierDoc) -> tuple[float, bool]:
        computed = kinetics.attempt_frequency(barrier.system, barrier.hop_name) if attempt_frequency is None else None
        return computed or attempt_frequency or USUAL_ATTEMPT_FREQUENCY, computed is not None

    references = {row.hop: barrier for row, barrier in study.paired() if row.system == study.reference}
    rows = []
    for compared, barrier in study.paired():
        if barrier is None or barrier.forward is None or (spread := barrier.plus_minus()) is None:
            continue
        length, error = _jump_length(barrier), known_error(barrier.band.engine)
        tries, computed = frequency(barrier)
        numbers = arrhenius(
            max(barrier.forward, 0.0),
            max(spread, LEAST),
            temperatures or kinetics.temperatures,
            jump_length=length,
            network=network,
            attempt_frequency=tries,
        )
        reference = None if compared.difference is None else references.get(compared.hop)
        both = (tries, frequency(reference)[0] if reference else tries)
        for number in numbers:
            row = {"system": barrier.system, "hop": compared.hop, "attempt_frequency": tries, "computed": computed}
            row |= {"temperature": number.temperature}
            row |= {"rate": number.rate, "diffusivity": number.diffusivity, "jump_length": length}
            row |= {"model_factor": None if error is None else times(error.of_a_barrier, number.temperature)}
            row |= {"factor": number.factor}
            rows.append(row | _ratio(barrier, reference, number.temperature, error, both))
    return rows


def network_line(study: StudyDoc, network: Network | None) -> str:
    """Say how the numbers of sites and dimensions in D were chosen, or that they were not."""
    chosen = network or (study.kinetics and study.kinetics.network)
    if not chosen:
        return "D: none, for no hop says how many sites the ion can reach (z) and in how many dimensions (d)"
    where = "as given by --directions and --dimensions" if network else "as the study's kinetics gives them"
    sites, dimensions = chosen
    return f"D = z/(2d) × length² × rate with z = {sites} sites and d = {dimensions} dimensions, {where}"


def rate_table(rows: Sequence[dict[str, Any]]) -> Table:
    """Lay out the rows of :func:`rate_rows`."""
    known = any(row["model_factor"] is not None for row in rows)
    whose = "of the model and of the band" if known else "of the band; that of the model or functional is not known"
    caption = (
        f"rate in 1/s, D in cm²/s; both may be larger or smaller by the factors, {whose}; ratio to the reference's rate"
    )
    if all(row["diffusivity"] is None for row in rows):
        caption += "; no D: it wants --directions and --dimensions of the network of sites, and one ion that jumps"
    table = Table(header_style="bold", caption=caption, caption_justify="left")
    for heading in ("System", "Hop"):
        table.add_column(heading)
    for heading in ("T (K)", "Rate", "D", "× ÷ model", "× ÷ band", "Ratio", "from", "to"):
        table.add_column(heading, justify="right")
    for row in rows:
        numbers = [row["rate"], row["diffusivity"]]
        ratios = [NONE if row[key] is None else f"{row[key]:.3g}" for key in ("ratio", "ratio_low", "ratio_high")]
        if row["ratio"] is not None and row["ratio_low"] is None:
            ratios[0] = "reference"
        table.add_row(
            row["system"],
            row["hop"],
            f"{row['temperature']:g}",
            *(NONE if number is None else f"{number:.2e}" for number in numbers),
            *(NONE if row[key] is None else f"{row[key]:.3g}" for key in ("model_factor", "factor")),
            *ratios,
        )
    return table


@writes_folder
def write_arrhenius(rows: Sequence[dict[str, Any]], study: StudyDoc, folder: Path) -> list[Path]:
    """Draw the rates of each hop over the inverse temperature (PNG, SVG and PDF).

    Parameters
    ----------
    rows : Sequence[dict[str, Any]]
        What :func:`rate_rows` gives of the study.
    study : StudyDoc
        The study; a figure says where systems of it have no rate.
    folder : Path
        Where the figures go.
    """
    from barriers.report.figures import draw_arrhenius
    from barriers.report.figures.labels import say_how_many
    from barriers.report.style import save_figure

    written = []
    for hop in dict.fromkeys(row["hop"] for row in rows):
        of_hop = [row for row in rows if row["hop"] == hop]
        temperatures = list(dict.fromkeys(row["temperature"] for row in of_hop))
        systems = dict.fromkeys(row["system"] for row in of_hop)
        rates = {system: [row["rate"] for row in of_hop if row["system"] == system] for system in systems}
        factors = {system: [_both(row) for row in of_hop if row["system"] == system] for system in systems}
        wanted = sum(compared.hop == hop for compared in study.rows)
        axes = say_how_many(draw_arrhenius(temperatures, rates, factors), len(rates), wanted)
        written += save_figure(axes, folder / kind_of_hop("arrhenius", hop))
    return written


def _both(row: dict[str, Any]) -> float:
    """Factor of model and band together: their uncertainties add in squares."""
    return exp(hypot(log(row["model_factor"] or 1.0), log(row["factor"])))


def _jump_length(barrier: BarrierDoc) -> float | None:
    """Length of the jump (Å): the hop's, or the ion's where none is named. None where several ions jump together."""
    if not len(barrier.band.structure):
        return None  # a band of others whose files tell no atoms
    from barriers.workflow.reading import motion_of

    moved = motion_of(barrier.band, barrier.hop)
    if moved.with_it:
        return None
    return moved.ion_jump if barrier.hop is None else barrier.hop.distance


def _ratio(
    barrier: BarrierDoc,
    reference: BarrierDoc | None,
    temperature: float,
    error: KnownError | None,
    attempt_frequencies: tuple[float, float],
) -> dict[str, float | None]:
    if reference is None or reference.forward is None or barrier.forward is None:
        return {"ratio": None, "ratio_low": None, "ratio_high": None}
    barriers = (max(barrier.forward, 0.0), max(reference.forward, 0.0))
    if barrier is reference:
        return {"ratio": 1.0, "ratio_low": None, "ratio_high": None}
    of_both = (max(barrier.plus_minus() or 0.0, LEAST), max(reference.plus_minus() or 0.0, LEAST))
    uncertainties = (hypot(*of_both), 0.0 if error is None else error.of_a_difference)
    found = ratio(barriers, uncertainties, temperature, attempt_frequencies)
    return {"ratio": found.value, "ratio_low": found.low, "ratio_high": found.high}
