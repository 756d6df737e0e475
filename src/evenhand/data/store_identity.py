"""Whether a folder may be written, and what of an interrupted store still counts."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, NonNegativeInt, ValidationError

from evenhand._errors import EvenhandError
from evenhand._files import file_sha256, sweep_all, temporary_names
from evenhand._outputs import check_writable
from evenhand.data import lock
from evenhand.data.store_card import Sha256, are_other_names, embedded, is_other_model, read_card, site_of
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


def check_begun(
    path: Path,
    *,
    model: str | None = None,
    family: str | None = None,
    sites: Sequence[str] = (),
    width: int | None = None,
    **options: object,
) -> None:
    """Refuse another model or other options than those of the store in a folder, before images are read.

    The store may be finished or not. A model is refused here if its name alone tells that it is another one.
    Whether the same weights are now at another place is left to `claim`, which knows them.

    Parameters
    ----------
    path : Path
        Folder of the store.
    model, family, sites, width
        The model, as in `backbones.outline.Outline`; None or empty for what is not known.
    **options
        Other options by their names; None stands for one that was not given.

    Raises
    ------
    EvenhandError
        If the model or an option differs, the store holds imported embeddings, or the card or the plan there
        cannot be read.
    """
    begun = _begun(path)
    if begun is None:
        return
    known = begun.identity
    if not embedded(known):
        raise EvenhandError(f"out: {path} holds imported embeddings; name another folder")
    # Features at another site than the usual one have another width.
    other_width = width not in (None, begun.width) and (not sites or site_of(known) == sites[0])
    if is_other_model(known, model, family, sites) or other_width:
        raise _made_otherwise(path, "model", known.get("model"), model)
    before = _as_options(known)
    for name, value in options.items():
        old = before.get(name)
        if are_other_names(old, value) if name == "pretrained" else None not in (old, value) and old != value:
            raise _made_otherwise(path, name, old, value)


def _as_options(known: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an identity tells of the options, in the form in which users give them."""
    reduced = _SHORT_SIDE in known
    told = {**known, "site": site_of(known)}
    if reduced or known.get("family") == "open_clip":  # transformers may not resize, and then decodes in full
        told["decode"] = "reduced" if reduced else "full"
    return told


def begun_identity(path: Path) -> dict[str, Any] | None:
    """Return the identity of the store in a folder, finished or not; None if there is none.

    Raises
    ------
    EvenhandError
        If the card or the plan there cannot be read.
    """
    begun = _begun(path)
    return None if begun is None else begun.identity


def _begun(path: Path) -> StorePlan | None:
    """Return the plan of the store in a folder, finished or not; None if there is none."""
    if (path / CARD).exists():
        card = read_card(path)
        return StorePlan(identity=card.identity, width=card.width, dtype=card.dtype)
    return _read_plan(path) if (path / PLAN).exists() else None


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
    known = _begun(path)
    if known is None:
        write_text(path / PLAN, json_text(plan.model_dump()))
        return False, plan.identity
    _compare(path, known, plan)
    return (path / CARD).exists(), known.identity


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
