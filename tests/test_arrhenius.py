"""Arrhenius plots: what they show, that they can be read, and which numbers are refused."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.axes import Axes
from readable import assert_readable

from barriers.report.figures import draw_arrhenius

SHORT = ("NCM", "NCM@PVDF", "NCM@PVDF-HF", "NCM@PAN", "NCM@PAN-HCN", "b", "c")
WIDE = tuple(f"{number}" + "W" * 59 for number in range(7))


@pytest.mark.parametrize("count", [1, 3, 7])
@pytest.mark.parametrize("names", [SHORT, WIDE], ids=["short", "wide"])
@pytest.mark.parametrize("span", [(250.0, 500.0), (298.0, 303.0), (20.0, 1200.0)])
def test_arrhenius_plots_can_be_read(count: int, names: tuple[str, ...], span: tuple[float, float]) -> None:
    assert_readable(arrhenius(names[:count], np.linspace(*span, 11)))


def arrhenius(names: tuple[str, ...], temperatures: np.ndarray) -> Axes:
    rates = {name: 1e13 * np.exp(-(0.2 + 0.02 * at) / (8.617e-5 * temperatures)) for at, name in enumerate(names)}
    factors = {names[0]: np.exp(0.02 / (8.617e-5 * temperatures))}
    return draw_arrhenius(temperatures, rates, factors)


def test_an_arrhenius_plot_is_a_line_over_the_inverse_temperature_whatever_the_order() -> None:
    temperatures = np.array([300.0, 500.0, 400.0])
    axes = draw_arrhenius(temperatures, {"NCM": [1.0, 100.0, 10.0]}, {"NCM": [2.0, 1.0, 1.5]})
    (line,) = axes.lines
    assert line.get_xdata() == pytest.approx(1000 / np.array([300.0, 400.0, 500.0]))
    assert line.get_ydata() == pytest.approx([1.0, 10.0, 100.0])
    (band,) = axes.collections
    corners = band.get_paths()[0].vertices
    cold = corners[np.isclose(corners[:, 0], 1000 / 300), 1]
    assert (cold.min(), cold.max()) == pytest.approx((0.5, 2.0))
    assert axes.get_yscale() == "log"


@pytest.mark.parametrize(
    ("temperatures", "values", "factors", "message"),
    [
        ([300.0, 0.0], {"a": [1, 1]}, None, "temperatures: 0 is not a positive number"),
        ([300.0, 300.0], {"a": [1, 1]}, None, "temperatures: two different ones at least are needed"),
        ([300.0, 400.0], {"a": [1, -1]}, None, "a: -1 is not a positive number"),
        ([300.0, 400.0], {"a": [1, float("nan")]}, None, "a: nan is not a positive number"),
        ([300.0, 400.0], {"a": [1]}, None, r"a: shape \(1,\), one number for each temperature"),
        ([300.0, 400.0], {"a": [1, 1]}, {"a": [1, 0.5]}, "factors of a: 0.5 is not 1 or more"),
        ([300.0, 400.0], {"a": [1, 1]}, {"b": [1, 2]}, "factors of 'b': no such system; allowed: a"),
    ],
)
def test_numbers_that_are_no_rates_are_named(temperatures: list, values: dict, factors: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        draw_arrhenius(temperatures, values, factors)
