import dataclasses
import io
from base64 import b64decode
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from evenhand import Manifest, embed, fit_run, load_tiny
from evenhand.datasets.scenes import write_scenes
from evenhand.report.page import render
from evenhand.report.saliency import SIDE, _shaded, saliency
from evenhand.report.source import RunView, read_source, view_run


@pytest.fixture(scope="module")
def view(tmp_path_factory: pytest.TempPathFactory) -> RunView:
    folder = tmp_path_factory.mktemp("scenes")
    photos = write_scenes(folder / "photos", seed=0, train=80, test=24)
    table = embed(Manifest.read(photos), load_tiny(), folder / "x.store", workers=0)
    fit_run(table, method="erm", out=folder / "x.run")
    return view_run(folder / "x.run")


def test_every_picture_has_a_map_before_and_after(view: RunView) -> None:
    seen = saliency(view)
    assert not isinstance(seen, str)
    assert 1 <= len(seen) <= 8
    for one in seen:
        place = view.table.ids[view.test].tolist().index(one.name)
        assert one.margins == [pytest.approx(float(stage.margins[place])) for stage in view.stages[-2:]]
        for address in (one.picture, *one.maps):
            content = b64decode(address.removeprefix("data:image/jpeg;base64,"))
            assert Image.open(io.BytesIO(content)).size == (SIDE, SIDE)
    assert [one.maps for one in saliency(view)] == [one.maps for one in seen]  # type: ignore[union-attr]


def test_colours_tell_for_from_against() -> None:
    cells = torch.zeros(1, 2, 2)
    cells[0, 0, 0], cells[0, 1, 1] = 1.0, -1.0
    (shade,) = _shaded(torch.full((1, 3, 8, 8), 0.5), cells)
    red, green = shade[0], shade[1]
    assert green[0, 0] > red[0, 0]
    assert red[-1, -1] > green[-1, -1]
    assert red[0, -1] == pytest.approx(float(green[0, -1]), abs=0.02)


def test_images_that_moved_are_said(view: RunView) -> None:
    gone = dataclasses.replace(view.table, paths=np.full(len(view.table), "/gone.jpg"))
    assert "are not where they were" in str(saliency(dataclasses.replace(view, table=gone)))


def test_a_model_with_other_weights_is_said(view: RunView) -> None:
    made = {**view.card["store_card"], "weights_sha256": "0" * 64}
    said = saliency(dataclasses.replace(view, card={**view.card, "store_card": made}))
    assert str(said).startswith("No saliency could be computed: model 'tiny' has other weights")


def test_imported_embeddings_have_no_images(make_run: object, tmp_path: Path) -> None:
    run = make_run("no-images", n=60, pictures=False)  # type: ignore[operator]
    view = view_run(run)
    assert "imported embeddings" in str(saliency(view))
    html = render(read_source(run)[0], view, device="cpu")
    assert "there are no images to compute saliency on" in html
