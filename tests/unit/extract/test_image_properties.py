"""What `embed` measures of each image, in the store beside the attributes."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from evenhand import load_store
from evenhand.data.images.properties import PROPERTIES
from evenhand.data.manifest import Manifest
from evenhand.data.store_card import read_card
from evenhand.extract import embed_images
from evenhand.extract.embed_images import embed


def test_each_row_has_the_properties_of_its_image(manifest: Manifest, backbone: Any, tmp_path: Path) -> None:
    table = embed(manifest, backbone, tmp_path / "s", batch_size=3, part_rows=7)
    assert set(table.properties) == set(PROPERTIES)
    assert table.attributes == {}
    for row, path in enumerate(table.paths.tolist()):
        with Image.open(path) as image:
            assert table.properties["image_width"][row] == str(image.width)
        assert table.properties["image_color"][row] == table.labels(np.array([row]))[0]


def test_a_column_of_the_user_keeps_its_name(manifest: Manifest, backbone: Any, tmp_path: Path) -> None:
    own = replace(manifest, attributes={"image_width": np.full(len(manifest), "wide")})
    table = embed(own, backbone, tmp_path / "s")
    assert set(table.attributes["image_width"].tolist()) == {"wide"}
    assert "image_width" not in table.properties
    assert "image_height" in table.properties


def test_columns_that_make_no_groups_lie_beside_the_properties(
    manifest: Manifest, backbone: Any, tmp_path: Path
) -> None:
    days = np.array([str(np.datetime64("2020-01-01") + np.timedelta64(k, "D")) for k in range(len(manifest))])
    own = replace(manifest, others={"day": days, "image_border": days})
    table = embed(own, backbone, tmp_path / "s", batch_size=3, part_rows=7)
    assert table.properties["day"].tolist() == days[np.isin(manifest.ids, table.ids)].tolist()
    assert table.properties["image_border"].tolist() == table.properties["day"].tolist()
    assert set(table.properties) == {"day", *PROPERTIES}
    assert table.attributes == {}
    later = replace(own, others={"day": days[::-1]})
    assert embed(later, backbone, tmp_path / "s").properties["day"].tolist() != days.tolist()
    assert "image_border" in embed(later, backbone, tmp_path / "s").properties


def as_before(
    manifest: Manifest, backbone: Any, out: Path, patch: pytest.MonkeyPatch, **options: Any
) -> None:
    """Embed as a version that measured nothing did."""
    with patch.context() as inside:
        inside.setattr(embed_images, "PROPERTIES", ())
        embed(manifest, backbone, out, **options)


def test_a_store_of_an_earlier_version_stays_as_it_is(
    manifest: Manifest, backbone: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_before(manifest, backbone, tmp_path / "s", monkeypatch)
    seen, card = backbone.seen, (tmp_path / "s" / "card.json").read_bytes()
    table = embed(manifest, backbone, tmp_path / "s")
    assert table.properties == {}
    assert (backbone.seen, (tmp_path / "s" / "card.json").read_bytes()) == (seen, card)


def test_an_interrupted_store_of_an_earlier_version_is_finished(
    manifest: Manifest, backbone: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(stage: str, done: int, total: int) -> None:
        if done > 14:
            raise KeyboardInterrupt

    options: dict[str, Any] = {"batch_size": 3, "part_rows": 7}
    with pytest.raises(KeyboardInterrupt):
        as_before(manifest, backbone, tmp_path / "s", monkeypatch, **options, progress=stop)
    plan = json.loads((tmp_path / "s" / "plan.json").read_text())
    del plan["identity"]["image_properties"]
    (tmp_path / "s" / "plan.json").write_text(json.dumps(plan))
    table = embed(manifest, backbone, tmp_path / "s", **options)
    assert len(table) == 20
    assert table.properties == {}


def test_reused_images_keep_their_properties(manifest: Manifest, backbone: Any, tmp_path: Path) -> None:
    before = embed(manifest, backbone, tmp_path / "s")
    after = embed(replace(manifest, classes=("azure", "red")), backbone, tmp_path / "s")
    assert after.notes
    assert {name: values.tolist() for name, values in after.properties.items()} == {
        name: values.tolist() for name, values in before.properties.items()
    }


def test_of_images_reused_from_an_earlier_version_nothing_is_known(
    manifest: Manifest, backbone: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_before(manifest, backbone, tmp_path / "s", monkeypatch)
    after = embed(replace(manifest, classes=("azure", "red")), backbone, tmp_path / "s")
    assert set(after.properties["image_width"].tolist()) == {""}


def test_properties_are_no_attributes_that_make_groups(
    manifest: Manifest, backbone: Any, tmp_path: Path
) -> None:
    embed(manifest, backbone, tmp_path / "s")
    assert load_store(tmp_path / "s").attributes == {}
    assert read_card(tmp_path / "s").identity["image_properties"] == list(PROPERTIES)
    assert read_card(tmp_path / "s").attributes == []
