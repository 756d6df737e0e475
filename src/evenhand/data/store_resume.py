"""Whether a folder may be written, and what of an interrupted store still counts."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, NonNegativeInt, ValidationError

from evenhand._errors import EvenhandError
from evenhand._files import file_sha256, sweep_all, temporary_names
from evenhand._outputs import check_writable
from evenhand.data import lock
from evenhand.data.store_card import Sha256, embedded, read_card
from evenhand.data.store_layout import (
    CARD,
    FEATURES,
    HEAD,
    MEASURED,
    OTHERS,
    PLAN,
    PROGRESS,
    ROWS,
    SKIPPED,
    THUMBNAILS,
    json_text,
    sidecar_name,
    write_text,
)

# What a writer leaves that was killed before its plan was there.
_EARLY = re.compile(rf"{re.escape(lock.NAME)}|{temporary_names(PLAN).pattern}")
_LONG = 60
_OPTIONS = frozenset(
    {
        "activation",
        "decode",
        "dtype",
        "max_pixels",
        "model",
        "precision",
        "preprocess",
        "pretrained",
        "shots",
        "site",
        "split_by",
        "thumbnails",
    }
)
"""Keys of an identity that are arguments, too."""
_SHORT_SIDE = "jpeg_short_side"
# A hash or a count tells nobody what has changed.
_OTHER = {
    "columns": "columns that make no groups",
    "features_sha256": "`features`",
    "image_bytes": "image files",
    _SHORT_SIDE: "`decode`",
    "manifest_sha256": "images, labels, `attribute_columns`, `split_column` or `seed`",
    "rows_sha256": "rows of the `table`, `label_column`, `attribute_columns`, `split_column` or `seed`",
    "text_sha256": "`text_features`",
    "words_sha256": "`vocabulary_features`",
    "weights_sha256": "weights of `model` and `pretrained`",
}
_PLACE = ("model", "pretrained")
"""Where a model is: the same weights make the same rows from any place."""


class StorePlan(BaseModel):
    """`plan.json`: what an unfinished store is going to be, of how many images, and what command makes it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    kind: Literal["store-plan"] = "store-plan"
    identity: dict[str, Any]
    width: int
    dtype: str
    images: int | None = None
    command: str | None = None


class Sidecar(BaseModel):
    """What a finished part holds: written last, it makes the part count."""

    model_config = ConfigDict(extra="forbid", strict=True)

    rows: NonNegativeInt
    files: dict[str, Sha256]

    def text(self) -> str:
        """Return the sidecar as JSON."""
        return json_text(self.model_dump())


def check_free(path: Path) -> None:
    """Refuse a path that holds anything but a store.

    Raises
    ------
    EvenhandError
        If `path` is a file, a folder that cannot be listed, or one with other files.
    """
    try:
        found = {entry.name for entry in path.iterdir() if not _EARLY.fullmatch(entry.name)}
    except FileNotFoundError:
        check_writable(path)
        return
    except OSError as error:
        raise EvenhandError(f"out: {path} cannot be used as a folder: {error.strerror or error}") from error
    if CARD in found:
        read_card(path)
    elif PLAN in found:
        _read_plan(path)
    elif found:
        raise EvenhandError(f"out: {path} exists and is not a store; name a new folder")


def check_begun(path: Path, **options: object) -> None:
    """Refuse options of another value than in the store of a folder, finished or not, before images are read.

    None stands for an option that was not given. A model's place is left to `claim`, which knows the weights.

    Raises
    ------
    EvenhandError
        If one differs, the store holds imported embeddings, or the card or the plan there cannot be read.
    """
    known = begun_identity(path)
    if known is not None and not embedded(known):
        raise EvenhandError(f"out: {path} holds imported embeddings; name another folder")
    before = {} if known is None else _as_options(known)
    for name, value in options.items():
        if value is not None and name in before and before[name] != value:
            raise _made_otherwise(path, name, before[name], value)


def _as_options(known: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an identity tells of the options, in the form in which users give them."""
    reduced = _SHORT_SIDE in known
    told = {**known, "site": str(known.get("site")).removeprefix("visual.")}
    if reduced or known.get("family") == "open_clip":  # transformers may not resize, and then decodes in full
        told["decode"] = "reduced" if reduced else "full"
    return {name: value for name, value in told.items() if name not in _PLACE or is_name(value)}


def is_name(text: object) -> bool:
    """Return whether a text is a model's name or a tag of open_clip, whose weights no other has.

    >>> [is_name(text) for text in ("ViT-B-32", "openai", "ViT-B-32-quickgelu", "hf:ORG/NAME", "weights.pt")]
    [True, True, False, False, False]
    """
    return isinstance(text, str) and re.fullmatch(r"(?!.*-quickgelu)[\w-]+", text) is not None


def begun_identity(path: Path) -> dict[str, Any] | None:
    """Return the identity of the store in a folder, finished or not; None if there is none.

    Raises
    ------
    EvenhandError
        If the card or the plan there cannot be read.
    """
    if (path / CARD).is_file():
        return read_card(path).identity
    return _read_plan(path).identity if (path / PLAN).is_file() else None


def claim(path: Path, plan: StorePlan) -> tuple[bool, dict[str, Any]]:
    """Write the plan of a new store, or compare it with the one that is there.

    Returns
    -------
    finished : bool
        Whether the store is.
    identity : dict
        What its card says or will say: of what may differ, as it was when the store was begun.

    Raises
    ------
    EvenhandError
        If the folder holds a store of another identity: the sentence names the first difference.
    """
    if (path / CARD).exists():
        card = read_card(path)
        _compare(path, StorePlan(identity=card.identity, width=card.width, dtype=card.dtype), plan)
        return True, card.identity
    if (path / PLAN).exists():
        known = _read_plan(path)
        _compare(path, known, plan)
        return False, known.identity
    write_text(path / PLAN, json_text(plan.model_dump()))
    return False, plan.identity


def may_differ(before: Mapping[str, Any], now: Mapping[str, Any]) -> frozenset[str]:
    """Return the keys of two identities that do not change what an image's row is.

    They are how many images go through at once, what is measured of them besides, where the model is if the
    weights agree, and columns that make no groups if an earlier version kept none.
    """
    weights = before.get("weights_sha256")
    same = weights is not None and weights == now.get("weights_sha256")
    earlier = () if OTHERS in before else (OTHERS,)
    return frozenset({"batch_size", MEASURED, *earlier, *(_PLACE if same else ())})


def _read_plan(path: Path) -> StorePlan:
    try:
        return StorePlan.model_validate_json((path / PLAN).read_bytes())
    except (OSError, ValidationError) as error:
        raise EvenhandError(f"out: {path} holds a {PLAN} that is not a store's; name a new folder") from error


def _compare(path: Path, known: StorePlan, ours: StorePlan) -> None:
    # Through JSON, as the known one went: tuples become lists.
    ours = StorePlan.model_validate_json(json_text(ours.model_dump()))
    before, now = ({**p.identity, "width": p.width, "dtype": p.dtype} for p in (known, ours))
    free = may_differ(before, now)
    differing = [key for key in {*before, *now} - free if before.get(key) != now.get(key)]
    # The option first, then what follows from it.
    for key in sorted(differing, key=lambda key: (key not in _OPTIONS, key == "notes", key)):
        raise _made_otherwise(path, key, before.get(key), now.get(key))


def _made_otherwise(path: Path, key: str, before: Any, now: Any) -> EvenhandError:
    return EvenhandError(f"out: {path} was made {_difference(key, before, now)}; name another folder")


def _difference(key: str, before: Any, now: Any) -> str:
    if key in _OTHER:
        return f"with other {_OTHER[key]} than this run has"
    what = f"`{key}`" if key in _OPTIONS else key
    old, new = _differing(repr(before), repr(now))
    made = f"without {what}" if before is None else f"with {what} {old}"
    return f"{made}, but this run has {'none' if now is None else new}"


def _differing(old: str, new: str) -> list[str]:
    """Shorten long texts to where they differ: their common start says nothing."""
    common = next((k for k, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), 0)
    start = max(0, common - 10) if max(len(old), len(new)) > _LONG else 0
    cut = [("…" if start else "") + text[start:] for text in (old, new)]
    return [text if len(text) <= _LONG else text[: _LONG - 1] + "…" for text in cut]


def done_parts(path: Path) -> list[Sidecar]:
    """Return the sidecars of the parts, from the first on, whose files are there unchanged."""
    found: list[Sidecar] = []
    while sidecar := _intact(path, len(found)):
        found.append(sidecar)
    return found


def _intact(path: Path, part: int) -> Sidecar | None:
    try:
        sidecar = Sidecar.model_validate_json((path / sidecar_name(part)).read_bytes())
        whole = all(file_sha256(path / name) == digest for name, digest in sidecar.files.items())
    except (OSError, ValidationError):
        return None
    return sidecar if whole else None


def discard(path: Path) -> None:
    """Remove a store that has no part worth resuming, and nothing else that is in its folder."""
    with suppress(OSError):
        tidy(path, finished=True)
        for name in (FEATURES, THUMBNAILS):
            shutil.rmtree(path / name, ignore_errors=True)
        for name in (HEAD, ROWS, SKIPPED, lock.NAME):
            (path / name).unlink(missing_ok=True)
        path.rmdir()


def tidy(path: Path, *, finished: bool) -> None:
    """Remove what a killed writer left: temporary files, and the progress of a finished store."""
    sweep_all(path)
    if finished:
        with suppress(OSError):
            shutil.rmtree(path / PROGRESS, ignore_errors=True)
            (path / PLAN).unlink(missing_ok=True)
