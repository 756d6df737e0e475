"""A store that was begun with another model or other options is refused by its card or plan alone."""

from pathlib import Path
from typing import Any

import pytest

from evenhand import EvenhandError
from evenhand.data.store_identity import StorePlan, check_begun

OPEN_CLIP = {"family": "open_clip", "model": "RN50", "pretrained": "openai", "site": "visual.attnpool.c_proj"}
FOLDER = {"family": "open_clip", "model": "local-dir:/m", "pretrained": None, "site": "visual.proj"}
QUICK = {"family": "open_clip", "model": "ViT-B-32-quickgelu", "pretrained": "/weights.pt"}
REDUCED = {"family": "transformers", "model": "hf:a/b", "jpeg_short_side": 448}
OTHER = {"family": "transformers", "model": "hf:a/b", "site": "visual_projection"}
RESNET = ("attnpool.c_proj", "attnpool")
WIDTH = 8


def begun(path: Path, identity: dict[str, Any]) -> Path:
    plan = StorePlan(identity={**identity, "dtype": "float16"}, width=WIDTH, dtype="float16")
    (path / "plan.json").write_text(plan.model_dump_json())
    return path


@pytest.mark.parametrize(
    ("identity", "option", "old", "new"),
    [
        (OPEN_CLIP, "model", "RN50", "ViT-B-32"),
        (QUICK, "model", "ViT-B-32-quickgelu", "RN50"),
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
        check_begun(path, **{option: new})  # type: ignore[arg-type]
    assert str(failure.value) == (
        f"out: {path} was made with `{option}` {old!r}, but this run has {new!r}; name another folder"
    )
    check_begun(path, **{option: old})  # type: ignore[arg-type]
    check_begun(path, **{option: None})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("identity", "given"),
    [
        (FOLDER, {"family": "transformers"}),
        (OTHER, {"family": "open_clip"}),
        (FOLDER, {"sites": RESNET}),
        (FOLDER, {"sites": ("proj",), "width": WIDTH + 1}),
        (OTHER, {"width": WIDTH + 1}),
    ],
)
def test_a_model_that_cannot_be_that_of_the_store_is_refused(
    identity: dict[str, Any], given: dict[str, Any], tmp_path: Path
) -> None:
    path = begun(tmp_path, identity)
    with pytest.raises(EvenhandError, match=f"was made with `model` '{identity['model']}', but .* 'x:y'"):
        check_begun(path, model="x:y", **given)


@pytest.mark.parametrize(
    ("identity", "given"),
    [
        # The folder may hold these weights.
        (FOLDER, {"model": "RN50", "family": "open_clip", "sites": ("proj",), "width": WIDTH}),
        (QUICK, {"model": "ViT-B-32"}),
        (QUICK, {"pretrained": "openai"}),
        (OPEN_CLIP, {"pretrained": "OpenAI"}),  # as open_clip reads a tag
        (OPEN_CLIP, {"model": "hf-hub:a/b", "family": "open_clip"}),
        (OTHER, {"model": "hf:/m", "family": "transformers"}),
        ({**OPEN_CLIP, "site": "visual.attnpool"}, {"sites": RESNET, "width": WIDTH + 1}),
        (OTHER, {"decode": "reduced"}),  # a model that does not resize decodes in full
    ],
)
def test_what_only_the_model_tells_is_left_to_it(
    identity: dict[str, Any], given: dict[str, Any], tmp_path: Path
) -> None:
    check_begun(begun(tmp_path, identity), **given)
