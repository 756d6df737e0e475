"""A feature table in a notebook: what it holds, as a small HTML table."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from evenhand._typing import Ints, Strings

MOST = 20
"""Classes that are shown."""
_SPLITS = ("train", "validation", "test")


def table_html(name: str, facts: Sequence[str], y: Ints, split: Strings, classes: Sequence[str]) -> str:
    """Return the rows of each class and split, the largest classes first, below facts; all escaped."""
    counts = {
        part: np.bincount(y[split == part], minlength=len(classes)) for part in _SPLITS if part in split
    }
    order = np.argsort(-np.bincount(y, minlength=len(classes)), kind="stable")[:MOST]
    rows = [(classes[code], *(f"{count[code]:,}" for count in counts.values())) for code in order]
    left = len(classes) - len(rows)
    told = "; ".join([*facts, *([f"{left:,} smaller classes are not shown"] if left else [])])
    return f"<p><b>{escape(name)}</b>: {escape(told)}</p>{html_rows(('class', *counts), rows)}"


def html_rows(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table of texts as HTML, escaped."""

    def line(cells: Sequence[str], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    body = "".join(line(row, "td") for row in rows)
    return f"<table><thead>{line(header, 'th')}</thead><tbody>{body}</tbody></table>"
