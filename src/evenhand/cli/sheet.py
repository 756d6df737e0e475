"""A table that stays readable at any width: with fewer columns, or as blocks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Column, Table
from rich.text import Text

GAP = 2
"""Blanks between two columns."""
NAME, PROSE = 24, 30
"""The first column may be folded down to `NAME` characters, a last column of text wrapped to `PROSE`."""
UNLIMITED = 100_000


class Sheet(Table):
    """A rich table that chooses its layout when it is drawn.

    The layouts, of which the first that fits is taken: all columns; headers of several lines; without more
    and more of the optional columns, which a line below then names; a block for each row. Cells of numbers
    are never folded.

    Parameters
    ----------
    title : str
        Above the table, as wide as the console.
    optional : sequence of str
        Headers of columns that a narrow console does without, the first to go first.
    """

    def __init__(self, title: str, optional: Sequence[str] = ()) -> None:
        super().__init__(box=None, pad_edge=False, header_style="bold")
        self.heading, self.optional = title, tuple(optional)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        """Yield the title and the first layout that fits."""
        if self.heading:
            yield Text.from_markup(self.heading, style="table.title", end="\n")
        for left_out in range(len(self.optional) + 1):
            hidden = self.optional[:left_out]
            shown = [column for column in self.columns if column.header not in hidden]
            for folded in (False, True):
                widths = _widths(shown, console, options, folded=folded)
                if widths is not None:
                    yield self._drawn(shown, widths)
                    if hidden:
                        yield Text(f"left out at this width: {', '.join(hidden)}", style="dim")
                    return
        yield from self._blocks()

    def _drawn(self, columns: Sequence[Column], widths: Sequence[int]) -> Table:
        made = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold")
        for column, width in zip(columns, widths, strict=True):
            made.add_column(column.header, justify=column.justify, width=width, overflow="fold")
        for row, cells in zip(self.rows, _by_row(columns), strict=True):
            made.add_row(*cells, end_section=row.end_section)
        return made

    def _blocks(self) -> Iterator[RenderableType]:
        headers = [column.header for column in self.columns[1:]]
        for number, (name, *cells) in enumerate(_by_row(self.columns)):
            if number:
                yield Text("")
            yield Text.from_markup(name, style="bold", overflow="fold")
            block = Table.grid(padding=(0, GAP, 0, 0))
            block.add_column()
            block.add_column(overflow="fold")
            for header, cell in zip(headers, cells, strict=True):
                if cell:
                    block.add_row(header, cell)
            yield Padding(block, (0, 0, 0, 2), expand=False)


def _by_row(columns: Sequence[Column]) -> Iterator[tuple[Any, ...]]:
    return zip(*(column.cells for column in columns), strict=True)


def _widths(
    columns: Sequence[Column], console: Console, options: ConsoleOptions, *, folded: bool
) -> list[int] | None:
    """Return the widths of columns, None if they do not fit; with `folded` headers may take more lines."""
    wide = options.update(width=UNLIMITED)

    def measured(cell: Any) -> Measurement:
        return Measurement.get(console, wide, console.render_str(cell) if isinstance(cell, str) else cell)

    def width(column: Column) -> int:
        header = measured(column.header)
        cells = (measured(cell).maximum for cell in column.cells)
        return max(header.minimum if folded else header.maximum, *cells, 0)

    widths = [width(column) for column in columns]
    missing = sum(widths) + GAP * (len(columns) - 1) - options.max_width
    # Prose gives way first: it reads as well on two lines.
    for place, least in ((-1, PROSE), (0, NAME)):
        if missing > 0 and columns[place].justify == "left":
            given = min(missing, max(widths[place] - least, 0))
            widths[place], missing = widths[place] - given, missing - given
    return widths if missing <= 0 else None
