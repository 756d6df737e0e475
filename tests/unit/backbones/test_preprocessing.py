"""What a checkpoint file does not say: how images are prepared, and the activation."""

from dataclasses import asdict

import open_clip
import pytest
from open_clip.transform import PreprocessCfg, merge_preprocess_dict

from evenhand import EvenhandError
from evenhand.backbones.preprocessing import assume, check_preprocessing, read_preprocess, written

NAMES = open_clip.list_models()
TAGS = {name: open_clip.list_pretrained_tags_by_model(name) for name in NAMES}
KEYS = ("mean", "std", "interpolation", "resize_mode")


def of_tag(name: str, tag: str) -> dict[str, object]:
    """What open_clip itself makes of a tag."""
    merged = merge_preprocess_dict(
        asdict(PreprocessCfg()), open_clip.pretrained.get_pretrained_cfg(name, tag)
    )
    return {key: list(merged[key]) if key in ("mean", "std") else merged[key] for key in KEYS}


@pytest.mark.parametrize("name", [name for name in NAMES if TAGS[name]])
def test_a_file_gets_what_all_tags_of_its_name_share(name: str) -> None:
    settings, quick, notes = assume(name, "m.pt", {})
    found = [of_tag(name, tag) for tag in TAGS[name]]
    alike = all(one == found[0] for one in found)
    assert settings == (found[0] if alike else of_tag(name, "none"))
    assert ("is assumed, as " in notes[0]) == alike
    assert "give `preprocess`" in notes[0]
    said = {bool(open_clip.pretrained.get_pretrained_cfg(name, tag).get("quick_gelu")) for tag in TAGS[name]}
    configured = bool(open_clip.get_model_config(name).get("quick_gelu"))
    assert quick == (True if said == {True} and not configured else None)
    # A guess that may be wrong is told; a name that ends in -quickgelu says it itself.
    assert any("`activation=" in note for note in notes) == (True in said and not configured)


@pytest.mark.parametrize("name", [name for name in NAMES if not TAGS[name]])
def test_a_name_without_tags_gets_the_default_and_is_told(name: str) -> None:
    settings, quick, notes = assume(name, "m.pt", {})
    assert settings == of_tag(name, "none")
    assert quick is None
    assert f"open_clip's default, since {name} has no tags" in notes[0]


def test_most_tags_that_need_another_preprocessing_get_it() -> None:
    pairs = open_clip.list_pretrained()
    other = [pair for pair in pairs if of_tag(*pair) != of_tag("ViT-B-32", "openai")]
    missed = {pair for pair in other if assume(pair[0], "m.pt", {})[0] != of_tag(*pair)}
    assert len(other) >= 58
    # Their names have other tags, too, so that the default is told instead.
    assert missed <= {
        ("ViT-L-14", "laion2b_s32b_b82k"),
        ("ViT-H-14", "dfn5b"),
        ("ViT-H-14-quickgelu", "dfn5b"),
    }


def test_what_the_user_gives_wins_and_is_not_told() -> None:
    given = read_preprocess("mean=0,std=1,interpolation=bilinear,resize_mode=squash,size=256", "ViT-B-32")
    settings, _, notes = assume("ViT-B-32", "m.pt", given, known_activation=True)
    assert settings == given
    assert notes == ()
    partly, _, notes = assume("ViT-B-32", "m.pt", {"size": 256})
    assert partly["size"] == 256
    assert len(notes) == 2


def test_settings_are_read_as_they_are_written() -> None:
    text = "mean=0.1,0.2,0.3,std=0.5,size=224,336"
    found = read_preprocess(text, "ViT-B-32")
    assert found == {"mean": [0.1, 0.2, 0.3], "std": [0.5] * 3, "size": [224, 336]}
    assert read_preprocess(written(found), "ViT-B-32") == found


def test_a_tag_stands_for_its_settings() -> None:
    assert read_preprocess("laion2b_s32b_b82k", "ViT-L-14")["mean"] == [0.5] * 3
    assert read_preprocess("ViT-B-16-SigLIP:webli", "ViT-L-14")["resize_mode"] == "squash"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("webli", "neither settings such as mean=0.5.* nor a tag of ViT-B-32; its tags: openai"),
        ("RN9:openai", "nor a tag of RN9; its tags: none"),
        ("mean=a", "mean=a is not a number"),
        ("colour=1", "'colour' is not a setting; the settings are mean, std, size"),
        ("mean=1,2", r"has mean \[1.0, 2.0\]; the allowed values are three finite numbers"),
        ("mean=nan", "the allowed values are three finite numbers"),
        ("std=0", r"has std \[0.0, 0.0, 0.0\]; the allowed values are three positive numbers"),
        ("std=inf", "the allowed values are three positive numbers"),
        ("size=0", "has size 0; the allowed values are whole numbers from 1 to 8192"),
        ("size=9999", "the allowed values are whole numbers from 1 to 8192"),
        ("size=2,2,2", "the allowed values are whole numbers from 1 to 8192"),
        ("interpolation=nearest", "has interpolation 'nearest'; the allowed values are bicubic, bilinear$"),
        ("resize_mode=fit", "the allowed values are shortest, longest, squash"),
    ],
)
def test_what_is_not_allowed_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(EvenhandError, match=sentence):
        read_preprocess(text, "ViT-B-32")


@pytest.mark.parametrize("std", ["0.5", [1, True, 1], {"a": 1}, [0.5, None, 0.5]])
def test_numbers_of_odd_types_are_refused(std: object) -> None:
    with pytest.raises(
        EvenhandError, match=r"the model has std .*; the allowed values are three positive numbers"
    ):
        check_preprocessing({"std": std}, "the model")
