"""Runs on small models with random weights, one for each kind of image tower and head."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.small_open_clip import MODELS, write_open_clip

from evenhand import Manifest, embed, fit
from evenhand.backbones.load import load_backbone

# Three classes, and two prompts of each, so that prototypes are no single embedding.
TEMPLATES = ["a photo of a {}.", "one {}"]
# Of an export's cosines from the run's at most: logits to 1e-5 at these models' scale of 14, 1e-4 at 100.
COSINES = 7e-7
CLASSES = ("cat", "dog", "jay bird")


def write_photos(folder: Path) -> Path:
    """Write 36 noise pictures of three classes, each class with a colour."""
    generator = np.random.default_rng(0)
    for row in range(36):
        name = CLASSES[row % 3]
        pixels = generator.integers(0, 200, (40, 56, 3), dtype=np.uint8)
        pixels[..., row % 3] += 55
        place = folder / ("train" if row < 24 else "test") / name
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(place / f"{row}.png")
    return folder


MakeRun = Callable[..., Path]


@pytest.fixture(scope="session")
def make_run(tmp_path_factory: pytest.TempPathFactory) -> MakeRun:
    """Return the run of a model, a method and a site, made once in a session."""
    root = tmp_path_factory.mktemp("runs")
    photos = write_photos(root / "photos")
    made: dict[tuple[str, str, str | None], Path] = {}

    def make(model: str, method: str = "erm", site: str | None = None) -> Path:
        key = (model, method, site)
        if key not in made:
            name = model
            if model in MODELS:
                folder = root / "models" / model
                name = f"local-dir:{folder if folder.exists() else write_open_clip(model, folder)}"
            run = root / f"run-{len(made)}"
            table = embed(
                Manifest.read(photos),
                load_backbone(name, site=site),
                root / f"store-{len(made)}",
                templates=TEMPLATES,
                workers=0,
                thumbnails=False,
                dtype="float32",
            )
            params = {"learning_rate": 0.05, "epochs": 5} if method == "erm" else None
            fit(table, method=method, out=run, params=params)
            made[key] = run
        return made[key]

    return make
