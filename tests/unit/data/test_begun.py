"""Options that a store was begun without are refused by its card or plan alone."""

from pathlib import Path
from typing import Any

import pytest

from evenhand import EvenhandError
from evenhand.data.store_resume import StorePlan, check_begun

OPEN_CLIP = {"family": "open_clip", "model": "RN50", "pretrained": "openai", "site": "visual.attnpool.c_proj"}
FOLDER = {"family": "open_clip", "model": "local-dir:/m", "pretrained": None}
QUICK = {"family": "open_clip", "model": "ViT-B-32-quickgelu", "pretrained": "/weights.pt"}
REDUCED = {"family": "transformers", "model": "hf:a/b", "jpeg_short_side": 448}
OTHER = {"family": "transformers", "model": "hf:a/b"}


def begun(path: Path, identity: dict[str, Any]) -> Path:
    plan = StorePlan(identity={**identity, "dtype": "float16"}, width=8, dtype="float16")
    (path / "plan.json").write_text(plan.model_dump_json())
    return path


@pytest.mark.parametrize(
    ("identity", "option", "old", "new"),
    [
        (OPEN_CLIP, "model", "RN50", "ViT-B-32"),
        (OPEN_CLIP, "pretrained", "openai", "yfcc15m"),
        (OPEN_CLIP, "site", "attnpool.c_proj", "attnpool"),
        (OPEN_CLIP, "decode", "full", "reduced"),
        (REDUCED, "decode", "reduced", "full"),
        (OTHER, "dtype", "float16", "float32"),
    ],
)
def test_another_value_is_refused(
    identity: dict[str, Any], option: str, old: str, new: str, tmp_path: Path
) -> None:
    path = begun(tmp_path, identity)
    with pytest.raises(EvenhandError) as failure:
        check_begun(path, **{option: new})
    assert str(failure.value) == (
        f"out: {path} was made with `{option}` {old!r}, but this run has {new!r}; name another folder"
    )
    check_begun(path, **{option: old})
    check_begun(path, **{option: None})


@pytest.mark.parametrize(
    ("identity", "option", "value"),
    [
        (FOLDER, "model", "RN50"),  # the folder may hold these weights
        (QUICK, "model", "ViT-B-32"),
        (QUICK, "pretrained", "openai"),
        (OTHER, "decode", "reduced"),  # a model that does not resize decodes in full
    ],
)
def test_what_only_the_model_tells_is_left_to_it(
    identity: dict[str, Any], option: str, value: str, tmp_path: Path
) -> None:
    check_begun(begun(tmp_path, identity), **{option: value})
