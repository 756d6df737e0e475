"""WebDataset shards: tar files whose members form a sample if their names agree up to the first dot.

Names with more dots are also common, such as `2024.05.01-a.jpg`. So an image belongs to the labels that share
the longest part of its name up to a dot. Without such labels, its name is cut at the first dot.
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
"""Usual endings of members next to images: a label, a JSON object of columns, or text that may be a label."""
_PLAIN = ("jpg", "jpeg", "png", "webp")
"""Endings of a sample's main image, the most likely first."""
_MAIN = ("image", "img", "input", "rgb", "photo", "picture")
"""Words that such an ending may begin with, as in `image.png`."""


class Sample(NamedTuple):
    """The members of one sample.

    Attributes
    ----------
    key : str
        What their names have in common.
    images, beside : dict of str to str
        Names of the images, and of the members next to them, by their endings.
    """

    key: str
    images: dict[str, str]
    beside: dict[str, str]


def is_shard(path: Path) -> bool:
    """Return whether a tar has images with labels next to them. Text is one if no folders name classes."""
    if path.suffix.lower() != ".tar" or not is_archive(path):
        return False
    samples = [sample for sample in _samples(path) if sample.images]
    says = {_BESIDE[end] for sample in samples for end in sample.beside}
    folders = {sample.key.rpartition("/")[0] for sample in samples}
    return bool(says & {"cls", "json"}) or (says == {"txt"} and len(folders) == 1)


def list_shards(root: Path, shards: Sequence[Path], options: Options, *, alone: bool) -> Listing:
    """List the samples of shards, one row for each. The members next to an image are its columns.

    The label is the entry `label` of the `.json`, or else the `.cls`, or else a `.txt` whose texts recur. The
    split is a column, or else a word in the name or the folders of a shard, as in `train-000000.tar`. A shard
    that is `alone` has no split by its name. If a sample has several images, such as a mask, the usual one is
    taken, and a note says so.

    Raises
    ------
    EvenhandError
        If a member cannot be read, a label or a column that the user named is missing, or none of a sample's
        several images is the usual one.
    """
    order = {shard: number for number, shard in enumerate(shards)}
    samples = [
        (shard, _image(shard, sample), sample)
        for shard in shards
        for sample in _samples(shard)
        if sample.images
    ]
    samples.sort(key=lambda found: (order[found[0]], found[1]))
    rows = [
        # The name of a single shard tells no split.
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
        # A caption belongs to one image, but a label to several.
        if any(texts) and (options.label == "txt" or 2 * len(set(texts)) <= len(texts)):
            rows = [{**row, "txt": text} for row, text in zip(rows, texts, strict=True)]
    columns = columns_of(root / "the .json and .cls members", rows)
    listing = list_rows(columns, replace(options, label=label if label in columns.values else options.label))
    left = Counter(end for _, name, sample in samples for end, of in sample.images.items() if of != name)
    return replace(listing, notes=(*listing.notes, *_left_out(left)))


def _split(root: Path, shard: Path) -> dict[str, str]:
    """Return the column of the split that a shard's folders or name tell; empty if they tell none."""
    split = split_in_name(shard.relative_to(root).as_posix())
    return {"split": split} if split else {}


def _samples(shard: Path) -> list[Sample]:
    """Return the samples of a tar, including those without images."""
    cuts = {name: _cuts(name) for name in members(shard)}
    # The longest known ending counts: that of "a.cls.txt" is "cls.txt".
    labels = {
        name: told[-1] for name, of in cuts.items() if (told := [cut for cut in of if cut[1] in _BESIDE])
    }
    labeled = {key for key, _ in labels.values()}
    found: dict[str, Sample] = {}
    for name, (key, end) in labels.items():
        found.setdefault(key, Sample(key, {}, {})).beside[end] = name
    for name in filter(has_image_name, cuts):
        key, end = next((cut for cut in cuts[name] if cut[0] in labeled), cuts[name][-1])
        found.setdefault(key, Sample(key, {}, {})).images[end] = name
    return list(found.values())


def _cuts(name: str) -> list[tuple[str, str]]:
    """Return the key and the ending for each dot in the last part of a name, from the longest key on."""
    folder, slash, last = name.rpartition("/")
    dots = [at for at, letter in enumerate(last) if letter == "." and at > 0]
    return [(folder + slash + last[:at], last[at + 1 :].lower()) for at in reversed(dots)]


def _image(shard: Path, sample: Sample) -> str:
    """Return the name of a sample's image; of several, the usual one."""
    ends = list(sample.images)
    plain = [end for end in _PLAIN if end in sample.images]
    named = [end for end in ends if end.split(".")[0] in _MAIN]
    if len(ends) > 1 and not plain and len(named) != 1:
        raise EvenhandError(
            f"{shard} has several images of the sample {sample.key!r}, {some(ends, most=3)}, of which none "
            "is the usual one: WebDataset cuts names at their first dot; call the image KEY.jpg, without "
            "another dot, and its label KEY.cls"
        )
    return sample.images[(plain or named or ends)[0]]


def _said(shard: Path, sample: Sample) -> dict[str, Any]:
    """Return the columns that the members next to an image tell, without its text."""
    said: dict[str, Any] = {}
    for end, name in sample.beside.items():
        if _BESIDE[end] == "cls":
            said["cls"] = _text(shard / name)
        elif _BESIDE[end] == "json":
            said |= _object(shard / name)
    return said


def _text(path: Path) -> str:
    """Return the text of a member."""
    try:
        return open_file(path).read().decode("utf-8-sig").strip()
    except (OSError, ValueError) as error:
        raise EvenhandError(f"{path} cannot be read ({error}); make the shard again") from error


def _object(path: Path) -> dict[str, Any]:
    """Return the columns in a `.json` member. A single value is the label."""
    text = _text(path)
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise EvenhandError(f"{path} cannot be read ({error}); make the shard again") from error
    if isinstance(found, str | int | float):
        return {"label": found}
    if not isinstance(found, dict):
        raise EvenhandError(f"{path} holds no object; a sample's .json is one object of names and values")
    return found


def _text_beside(shard: Path, sample: Sample) -> str:
    """Return the text next to an image; empty if it has none."""
    name = next((name for end, name in sample.beside.items() if _BESIDE[end] == "txt"), None)
    return "" if name is None else _text(shard / name)


def _left_out(left: Counter[str]) -> list[str]:
    """Return a note on the images that were not taken; empty if there are none."""
    if not left:
        return []
    ends = some((f".{end}" for end in sorted(left)), most=3)
    told = number_of(left.total(), "image is", "images are")
    return [f"for samples with several images, one is used; {told} left out: {ends}"]
