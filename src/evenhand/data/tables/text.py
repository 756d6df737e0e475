"""Tables of text as programs write them: with commas, semicolons, tabs or blanks, with or without header."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pa_csv

from evenhand.data.file_names import has_image_name
from evenhand.data.tables.unpacked import unpacked

_MARKS = (",", ";", "\t", "|")
_BLANKS = " "
"""Stands for runs of blanks, as in the files of CelebA and in lists of ImageNet's kind."""
_BOMS = (
    (b"\xff\xfe\0\0", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
    (b"\xef\xbb\xbf", "utf-8-sig"),
)
_LOOKED_AT = 1 << 16
"""Bytes of the start that tell how a table is written."""


def read_text_table(path: Path) -> pa.Table:
    """Read a table of text; all values are strings.

    UTF-8, or UTF-16 or UTF-32 with its mark. Titles, empty lines and lines that begin with # may stand above
    the header. The delimiter is the one that cuts the first lines into the most columns
    of equal number. A first line that names an image file is no header: the columns are then `file_name` and,
    of two, `label`. A header that is one name short has none for the first column, as R and CelebA write it.

    Raises
    ------
    OSError, ValueError, pyarrow.ArrowException, csv.Error
        If it cannot be read.
    """
    content = _utf8(path)
    lines = _first_lines(content)
    skipped = _before_header(lines, path)
    mark = _told_mark(lines) or _mark(lines[skipped : skipped + 20], path)
    content = _without_blanks_before_quotes(content, lines[skipped : skipped + 1], mark)
    header = _cut(lines[skipped], mark) if len(lines) > skipped else []
    first = _cut(lines[skipped + 1], mark) if len(lines) > skipped + 1 else []
    names = _unnamed(header)
    if names is None:
        names = [name.strip() for name in header]
        skipped += 1
        if len(first) == len(names) + 1:
            # A delimiter that ends each row makes an empty column, not one of row names.
            names = [*names, ""] if first[0] and not first[-1] else ["", *names]
    if mark == _BLANKS:
        return _blank_table(content, skipped, names)
    # Read as text: "01" is a class of its own, and "NA" may be one.
    try:
        return pa_csv.read_csv(
            BytesIO(content),
            read_options=pa_csv.ReadOptions(column_names=names, skip_rows=skipped),
            parse_options=pa_csv.ParseOptions(delimiter=mark, newlines_in_values=True),
            convert_options=pa_csv.ConvertOptions(
                column_types={name: pa.string() for name in names}, strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid as error:
        if "UTF8" in str(error):
            raise ValueError(_NOT_UTF8) from error
        raise


_NOT_UTF8 = "it is not UTF-8 text; save it as UTF-8, in Excel as 'CSV UTF-8'"


def _utf8(path: Path) -> bytes:
    """Return the content as UTF-8 without a mark."""
    content = unpacked(path)
    encoding = next((name for mark, name in _BOMS if content.startswith(mark)), None)
    if encoding is None and b"\0" in content[:_LOOKED_AT]:
        raise ValueError(_NOT_UTF8)
    if encoding in ("utf-16", "utf-32"):
        try:
            return content.decode(encoding).encode()
        except UnicodeError as error:
            raise ValueError(_NOT_UTF8) from error
    return content.removeprefix(b"\xef\xbb\xbf")


def _first_lines(content: bytes) -> list[str]:
    """Return the lines that a table is recognized by: at least two whole ones, however wide it is."""
    end = -1
    for _ in range(3):
        end = content.find(b"\n", end + 1)
        if end < 0:
            end = len(content)
            break
    return content[: max(_LOOKED_AT, end)].decode(errors="replace").splitlines()


def _told_mark(lines: Sequence[str]) -> str | None:
    """Return the delimiter that Excel's first line `sep=;` tells."""
    told = re.fullmatch(r"sep=(.)", lines[0].strip()) if lines else None
    return str(told.group(1)) if told else None


def _before_header(lines: Sequence[str], path: Path) -> int:
    """Return how many lines stand before the header: Excel's `sep=;`, CelebA's count of rows, or titles."""
    form = r"sep=.|\d+" if path.suffix.lower() == ".txt" else r"sep=."
    if len(lines) > 1 and re.fullmatch(form, lines[0].strip()):
        return 1
    titles = next((place for place, line in enumerate(lines[:20]) if not _is_title(line)), 0)
    if path.suffix.lower() == ".txt":
        return next((place for place, line in enumerate(lines) if not line.startswith("#")), 0)
    return titles


def _is_title(line: str) -> bool:
    """Return whether a line fills the first of several cells at most, or is empty or a comment."""
    cuts = [_cut(line, mark) for mark in _MARKS]
    several = not line.strip() or line.startswith("#") or any(len(cells) > 1 for cells in cuts)
    return several and not any("".join(cells[1:]).strip() for cells in cuts)


def _without_blanks_before_quotes(content: bytes, header: Sequence[str], mark: str) -> bytes:
    """Return a table written as `a, "b"` as `a,"b"`: a quote counts at the start of a cell alone."""
    before = re.escape(mark).encode() + rb' +"'
    if mark == _BLANKS or not re.search(before, "".join(header).encode()):
        return content
    return re.sub(before, mark.encode() + b'"', content)


def _cut(line: str, mark: str) -> list[str]:
    if mark == _BLANKS:
        return line.split()
    # csv limits the length of a field, which a line of another delimiter may exceed.
    return (
        next(csv.reader([line], delimiter=mark, skipinitialspace=True), [])
        if mark in line or '"' in line
        else [line]
    )


def _mark(lines: Sequence[str], path: Path) -> str:
    """Return the delimiter: of those that cut the lines evenly, the one that makes the most columns."""
    usual = "\t" if path.suffix.lower() == ".tsv" else ","
    blanks = (_BLANKS,) if path.suffix.lower() == ".txt" else ()

    def columns(mark: str) -> tuple[bool, int, bool]:
        counts = [len(_cut(line, mark)) for line in lines[:-1] or lines if line.strip()]
        even = len({*counts[1:]}) <= 1 and counts[:1] in (counts[1:2], [n - 1 for n in counts[1:2]], counts)
        most = counts[0] if counts else 0
        # A header with both is one of semicolons: commas stand in its names, as in its numbers.
        return even and most > 1, most, mark != "," if most > 1 else mark == usual

    best: str = max((*_MARKS, *blanks), key=columns)
    return best


def _unnamed(first: Sequence[str]) -> list[str] | None:
    """Return names for the columns of a table whose first line is a row; None if it is a header."""
    images = [place for place, value in enumerate(first) if has_image_name(value.strip())]
    if not images and not _repeats_a_number(first):
        return None
    names = [f"column {place + 1}" for place in range(len(first))]
    if not images:
        return names
    names[images[0]] = "file_name"
    if len(first) == 2:
        names[1 - images[0]] = "label"
    return names


def _repeats_a_number(first: Sequence[str]) -> bool:
    """Return whether a line has one number twice: that is a row, and no header."""
    numbers = [value.strip() for value in first if value.strip().isdecimal()]
    return len(set(numbers)) < len(numbers)


def _blank_table(content: bytes, skipped: int, names: Sequence[str]) -> pa.Table:
    rows = [line.split() for line in content.decode().splitlines()[skipped:] if line.strip()]
    for number, row in enumerate(rows):
        if len(row) != len(names):
            raise ValueError(f"row {number + 1} has {len(row)} values, not {len(names)}")
    columns = [pa.array([row[place] for row in rows], pa.string()) for place in range(len(names))]
    return pa.table(columns, names=list(names))
