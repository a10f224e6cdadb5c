"""What the hops of a crystal make together, as tables and figure: percolating barriers, diffusion, conductivity."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from barriers.analysis.network_document import DiffusionRow, NetworkDoc
from barriers.report.numbers import NONE, energy, shown, written_uncertainty

Table = tuple[str, str, tuple[str, ...], list[tuple[str, ...]]]
"""Name, title, headings and rows."""

AXES = "123"
"""Principal axes, from fast to slow."""


def network_tables(found: NetworkDoc) -> Iterator[Table]:
    """Give the percolating barriers, and the diffusion of its carrier where there is any."""
    yield (
        "percolation",
        "Percolating barrier (eV): the highest saddle above the lowest site on the best way through the crystal",
        ("Direction", "Barrier", "±", "Bottleneck"),
        [
            (
                row.name,
                energy(row.barrier, row.uncertainty),
                shown(written_uncertainty(row.uncertainty)),
                row.hop or "does not go on",
            )
            for row in found.percolation
        ],
    )
    if found.rows:
        conducts, correlated = any(row.conductivity for row in found.rows), found.carrier == "vacancy"
        yield (
            "diffusion",
            f"Diffusion of one {found.carrier} along its principal axes (cm²/s)"
            + (", correlation factor of the ions" if correlated else "")
            + (", conductivity (S/cm)" if conducts else ""),
            (
                "T (K)",
                "D₁",
                "D₂",
                "D₃",
                "Mean",
                "× ÷ band",
                *(("f",) if correlated else ()),
                *(("σ₁",) if conducts else ()),
            ),
            [_cells(row, correlated, conducts) for row in found.rows],
        )


def network_lines(found: NetworkDoc) -> list[str]:
    """Say what is to be known of the numbers, one line each."""
    return [f"network: {note}" for note in found.notes]


def network_sentence(found: NetworkDoc) -> str:
    """Say in one line how many dimensions the hops make, and how D depends on temperature."""
    hops = f"the hops make a {found.dimension}-dimensional network" if found.dimension else "the hops make no network"
    if found.activation_energy is None:
        return hops
    line = f"{found.prefactor:.1e} cm²/s × exp(−{found.activation_energy:.3f} eV / kT)"
    return f"{hops}; D of {_one(found)}, averaged over directions: {line}"


def diffusion_rows(found: NetworkDoc) -> list[dict[str, Any]]:
    """Give the numbers of each temperature, for a file: D in cm²/s, conductivity in S/cm, axes as unit vectors."""
    rows = []
    for row in found.rows:
        cells: dict[str, Any] = {"temperature": row.temperature, "mean": row.mean, "factor": row.factor}
        for number, axis in enumerate(AXES):
            cells |= {
                f"D{axis}": row.principal[number],
                f"axis{axis}": " ".join(f"{value:.5f}" for value in row.axes[number]),
                f"correlation{axis}": row.correlation[number],
                f"tracer{axis}": row.tracer and row.tracer[number],
                f"conductivity{axis}": row.conductivity and row.conductivity[number],
            }
        rows.append(cells)
    return rows


def draw_diffusion(found: NetworkDoc, path: Path) -> list[Path]:
    """Draw D along the principal axes over the inverse temperature; nothing of fewer than two temperatures."""
    from barriers.report.figures import draw_arrhenius, save_figure

    if len(found.rows) < 2:
        return []
    temperatures = [row.temperature for row in found.rows]
    of_axes = {axis: [row.principal[number] for row in found.rows] for number, axis in enumerate(AXES)}
    lines = {f"D along axis {axis}": values for axis, values in of_axes.items() if all(values)}
    factors = [row.factor for row in found.rows]
    spread = dict.fromkeys(lines, factors) if all(factors) else None
    axes = draw_arrhenius(temperatures, lines, spread, f"D of {_one(found)} (cm² s⁻¹)")  # type: ignore[arg-type]
    return save_figure(axes, path)


def _one(found: NetworkDoc) -> str:
    return f"{'a' if found.carrier == 'vacancy' else 'an'} {found.carrier}"


def _cells(row: DiffusionRow, correlated: bool, conducts: bool) -> tuple[str, ...]:
    factors = [f"{max(value, 0.0):.3f}" for value in row.correlation if value is not None]
    return (
        f"{row.temperature:g}",
        *(f"{value:.2e}" if value else "0" for value in row.principal),
        f"{row.mean:.2e}",
        NONE if row.factor is None else f"{row.factor:.3g}",
        *((", ".join(dict.fromkeys(factors)) or NONE,) if correlated else ()),
        *((f"{row.conductivity[0]:.2e}" if row.conductivity else NONE,) if conducts else ()),
    )
