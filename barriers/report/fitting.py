"""Tables that are whole at any width: what does not fit in a row goes on in a line below, and nothing is cut off."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import replace
from typing import NamedTuple

from rich.console import Group, JustifyMethod, RenderableType
from rich.constrain import Constrain
from rich.padding import Padding
from rich.style import StyleType
from rich.table import Column, Table
from rich.text import Text

GAP = 2
"""Blanks between the columns of a table without lines, and before what goes on below a row."""

PROSE = 16
"""Cells of several words are broken to lines of this width at least."""

LONGEST = 40
"""A longer word, such as the path of a folder, may be broken."""

CAPTION = 80
"""A caption may be this wide below a narrower table."""


BOUND = ("±", "from", "to")
"""Headings of columns that stay with the one before them."""

NOTHING = ("", "—")
"""Cells that are left out below a row."""


class _Content(NamedTuple):
    """What stands in a column, and the widths that it needs and that it would like."""

    heading: Text
    cells: list[Text]
    justify: JustifyMethod
    least: int
    most: int


def fitted(content: RenderableType, width: int | None) -> RenderableType:
    """Lay out tables for a width, and their titles and captions.

    1. A table that is narrow enough stays as it is. In another, cells of several words are broken between words.
    2. Where that is not enough it loses its lines, and columns from the right: below each row stand their headings
       and cells.

    Numbers and names stay whole. One that is wider than the terminal is broken, never cut.

    Parameters
    ----------
    content : RenderableType
        A table or a group with tables; anything else is left as it is.
    width : int or None
        Width of the terminal; None for a file or a pipe, which has room for everything.
    """
    if isinstance(content, Group):
        return Group(*(fitted(part, width) for part in content.renderables))
    if not isinstance(content, Table):
        return content
    below = max(len(_text(column.footer).split("\n")) for column in content.columns) if content.show_footer else 0
    columns = [_content(column, below) for column in content.columns]
    borders = 3 * len(columns) + 1
    natural = sum(column.most for column in columns) + borders
    if width is None or sum(column.least for column in columns) + borders <= width:
        body: list[RenderableType] = [_with_lines(content, _shared(columns, (width or natural) - borders))]
    else:
        body = [*_below_each_other(content, columns, width)]
    title, caption = (
        None if text is None else Constrain(Text.from_markup(str(text)), min(width or CAPTION, max(natural, CAPTION)))
        for text in (content.title, content.caption)
    )
    return Group(*(part for part in (title, *body, caption) if part is not None))


def _content(column: Column, below: int) -> _Content:
    """Take what stands in a column, its footer as so many cells of a line each."""
    whole = column.justify == "right" or column.no_wrap
    heading, last = _text(column.header), _text(column.footer).split("\n")
    cells = [*map(_text, column.cells), *[*last, *[Text()] * below][:below]]
    lines = [line for cell in cells for line in cell.split("\n")]
    most = max([0, *(line.cell_len for line in [*lines, *heading.split("\n")])])
    least = max([0, *(_least(line, whole) for line in lines), *map(_longest_word, [heading])])
    most = max(least, min(most, column.max_width or most))
    return _Content(heading, cells, column.justify, least, most)


def _text(cell: RenderableType) -> Text:
    return cell.copy() if isinstance(cell, Text) else Text.from_markup(str(cell))


def _least(line: Text, whole: bool) -> int:
    """Width that a line of a cell needs: all of it if it is short or must stay whole, else that of its longest word."""
    return line.cell_len if whole or line.cell_len <= PROSE else max(PROSE, min(_longest_word(line), LONGEST))


def _longest_word(line: Text) -> int:
    return max((Text(word).cell_len for word in line.plain.split()), default=0)


def _shared(columns: Sequence[_Content], width: int) -> list[int]:
    """Share a width out among columns: each gets what it needs, then those that lack most get more."""
    widths = [column.least for column in columns]
    lacking = [column.most for column in columns]
    for _ in range(width - sum(widths)):
        shares = [have / want if want > have else 1.0 for have, want in zip(widths, lacking, strict=True)]
        if min(shares, default=1.0) == 1.0:
            break
        widths[shares.index(min(shares))] += 1
    return widths


def _with_lines(table: Table, widths: Sequence[int]) -> Table:
    """Give a table columns of these widths, where words are broken to further lines and nothing is cut."""
    laid = copy(table)
    laid.title = laid.caption = None
    laid.columns = [
        replace(column, width=width, min_width=None, max_width=None, no_wrap=False, overflow="fold")
        for column, width in zip(table.columns, widths, strict=True)
    ]
    return laid


def _below_each_other(table: Table, columns: Sequence[_Content], width: int) -> Iterator[RenderableType]:
    """Lay out as many columns as there is room for, and below each row the others, with their headings."""
    kept, room = 1, width - min(columns[0].least, width)
    while kept < len(columns) and (room := room - columns[kept].least - GAP) >= 0:
        kept += 1
    while kept < len(columns) and kept > 1 and columns[kept].heading.plain in BOUND:
        kept -= 1
    widths = _shared(columns[:kept], width - GAP * (kept - 1)) if kept > 1 else [min(columns[0].most, width)]
    yield _row([column.heading for column in columns[:kept]], columns, widths, table.header_style)
    yield Text("─" * (sum(widths) + GAP * (kept - 1)))
    rows = zip(*(column.cells for column in columns), strict=True)
    for number, cells in enumerate(rows):
        style = table.rows[number].style if number < len(table.rows) else table.footer_style
        yield _row(cells[:kept], columns, widths, style or "")
        if below := _said(columns[kept:], cells[kept:]):
            yield Padding(below, (0, 0, 0, GAP), style=style or "", expand=False)


def _said(columns: Sequence[_Content], cells: Sequence[Text]) -> Text:
    """Write cells in a line, each behind the heading of its column; those that say nothing are left out."""
    said = Text()
    for column, cell in zip(columns, cells, strict=True):
        heading = " ".join(column.heading.plain.split())
        if cell.plain not in NOTHING:
            said += Text(" " if heading in BOUND else " · ") if said else Text()
            end = " " if heading in BOUND else ": "
            said += Text(f"{heading}{end}" if heading else "", "dim") + Text(", ").join(cell.split("\n"))
    return said


def _row(cells: Sequence[Text], columns: Sequence[_Content], widths: Sequence[int], style: StyleType) -> RenderableType:
    grid = Table.grid(padding=(0, GAP, 0, 0), pad_edge=False)
    for width, column in zip(widths, columns, strict=False):
        grid.add_column(width=width, justify=column.justify, overflow="fold")
    grid.add_row(*cells, style=style)
    return grid
