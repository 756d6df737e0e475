"""WebDataset shards: tars whose members belong together by the name before their first dot.

Names with further dots are common, too, as `2024.05.01-a.jpg`. So an image goes with the labels that share
the longest start of its name, up to a dot, and only where there are none by its first dot.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from evenhand._counts import number_of
from evenhand._errors import EvenhandError
from evenhand.data.archives import is_archive, members
from evenhand.data.file_names import has_image_name
from evenhand.data.labels import some
from evenhand.data.places import open_file
from evenhand.data.sources.listing import Listing, Options
from evenhand.data.sources.table_rows import list_rows
from evenhand.data.split_names import split_in_name
from evenhand.data.tables.read import columns_of

_BESIDE = {
    **dict.fromkeys(("cls", "class", "label", "cls.txt", "class.txt", "label.txt", "cls.index"), "cls"),
    **dict.fromkeys(("json", "jsn"), "json"),
    **dict.fromkeys(("txt", "text"), "txt"),
}
"""The usual endings, each with what it says: a label, an object of columns, or text that may be a label."""
_PLAIN = ("jpg", "jpeg", "png", "webp")
_MAIN = ("image", "img", "input", "rgb", "photo", "picture")


class Sample(NamedTuple):
    """The members of one sample by their endings, as they stand in the tar."""

    key: str
    pictures: dict[str, str]
    beside: dict[str, str]


def is_shard(path: Path) -> bool:
    """Return whether a tar has images with labels next to them. Text counts if no folder names a class."""
    if path.suffix.lower() != ".tar" or not is_archive(path):
        return False
    samples = [sample for sample in _samples(path) if sample.pictures]
    says = {_BESIDE[end] for sample in samples for end in sample.beside}
    folders = {sample.key.rpartition("/")[0] for sample in samples}
    return bool(says & {"cls", "json"}) or (says == {"txt"} and len(folders) == 1)


def list_shards(root: Path, shards: Sequence[Path], options: Options, *, alone: bool) -> Listing:
    """List the samples of shards, one row each; what members next to the images say are the columns.

    The label is the column `label` of the `.json`, or else the `.cls`, or else a `.txt` that repeats; the
    split is a column, or unless a shard is `alone`, a word in its name or folders, as in `train-000000.tar`.
    Where samples have several images, a mask for example, the usual one is taken, and reported.

    Raises
    ------
    EvenhandError
        If a member cannot be read, a label is missing, a named column is, or a sample has several images of
        which none is the usual one.
    """
    order = {shard: number for number, shard in enumerate(shards)}
    samples = [
        (shard, _picture(shard, sample), sample)
        for shard in shards
        for sample in _samples(shard)
        if sample.pictures
    ]
    samples.sort(key=lambda found: (order[found[0]], found[1]))
    rows = [
        # One shard alone is not a split.
        {
            **({} if alone else _split(root, shard)),
            **_said(shard, sample),
            "file_name": f"{shard.relative_to(root).as_posix()}/{name}",
        }
        for shard, name, sample in samples
    ]
    label = options.label
    said = {name for row in rows for name in row}
    if options.labeled and label == "label" and label not in said:
        label = "cls" if "cls" in said else "txt"
    if label == "txt":
        texts = [_text_beside(shard, sample) for shard, _, sample in samples]
        # A caption is its image's own; a label is that of several.
        if any(texts) and (options.label == "txt" or 2 * len(set(texts)) <= len(texts)):
            rows = [{**row, "txt": text} for row, text in zip(rows, texts, strict=True)]
    columns = columns_of(root / "the .json and .cls members", rows)
    listing = list_rows(columns, replace(options, label=label if label in columns.values else options.label))
    left = Counter(end for _, name, sample in samples for end, of in sample.pictures.items() if of != name)
    return replace(listing, notes=(*listing.notes, *_left_out(left)))


def _split(root: Path, shard: Path) -> dict[str, str]:
    """Return the split that a shard's folder or the words of its name tell; nothing where they tell none."""
    split = split_in_name(shard.relative_to(root).as_posix())
    return {"split": split} if split else {}


def _samples(shard: Path) -> list[Sample]:
    """Return the samples of a tar, those without images included."""
    cuts = {name: _cuts(name) for name in members(shard)}
    # The shortest start: the ending of "a.cls.txt" is "cls.txt".
    labels = {
        name: told[-1] for name, of in cuts.items() if (told := [cut for cut in of if cut[1] in _BESIDE])
    }
    labeled = {key for key, _ in labels.values()}
    found: dict[str, Sample] = {}
    for name, (key, end) in labels.items():
        found.setdefault(key, Sample(key, {}, {})).beside[end] = name
    for name in filter(has_image_name, cuts):
        key, end = next((cut for cut in cuts[name] if cut[0] in labeled), cuts[name][-1])
        found.setdefault(key, Sample(key, {}, {})).pictures[end] = name
    return list(found.values())


def _cuts(name: str) -> list[tuple[str, str]]:
    """Return the ways to cut a name at a dot of its last part, the longest start first."""
    folder, slash, last = name.rpartition("/")
    dots = [at for at, letter in enumerate(last) if letter == "." and at > 0]
    return [(folder + slash + last[:at], last[at + 1 :].lower()) for at in reversed(dots)]


def _picture(shard: Path, sample: Sample) -> str:
    """Return the name of a sample's image: the only one, or the usual one."""
    ends = list(sample.pictures)
    plain = [end for end in _PLAIN if end in sample.pictures]
    named = [end for end in ends if end.split(".")[0] in _MAIN]
    if len(ends) > 1 and not plain and len(named) != 1:
        raise EvenhandError(
            f"{shard} has several images of the sample {sample.key!r}, {some(ends, most=3)}, of which none "
            "is the usual one: WebDataset cuts names at their first dot; call the image KEY.jpg, without "
            "another dot, and its label KEY.cls"
        )
    return sample.pictures[(plain or named or ends)[0]]


def _said(shard: Path, sample: Sample) -> dict[str, Any]:
    """Return what the members next to an image say, by column; text only where it is asked for."""
    said: dict[str, Any] = {}
    for end, name in sample.beside.items():
        if _BESIDE[end] == "cls":
            said["cls"] = _text(shard / name)
        elif _BESIDE[end] == "json":
            said |= _object(shard / name)
    return said


def _text(path: Path) -> str:
    try:
        return open_file(path).read().decode("utf-8-sig").strip()
    except (OSError, ValueError) as error:
        raise EvenhandError(f"{path} cannot be read ({error}); make the shard again") from error


def _object(path: Path) -> dict[str, Any]:
    text = _text(path)
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise EvenhandError(f"{path} cannot be read ({error}); make the shard again") from error
    if isinstance(found, str | int | float):  # the label alone
        return {"label": found}
    if not isinstance(found, dict):
        raise EvenhandError(f"{path} holds no object; a sample's .json is one object of names and values")
    return found


def _text_beside(shard: Path, sample: Sample) -> str:
    name = next((name for end, name in sample.beside.items() if _BESIDE[end] == "txt"), None)
    return "" if name is None else _text(shard / name)


def _left_out(left: Counter[str]) -> list[str]:
    if not left:
        return []
    ends = some((f".{end}" for end in sorted(left)), most=3)
    told = number_of(left.total(), "image is", "images are")
    return [f"for samples with several images, one is used; {told} left out: {ends}"]
