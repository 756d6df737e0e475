"""A store with a shortcut: class along the first direction, water along the second."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from evenhand import FeatureTable, Head, load_store
from evenhand._typing import Bools, Floats
from evenhand.data.store_write import StoreWriter
from evenhand.review import Answer, ReviewRows, review_rows

N = 600


@dataclass(frozen=True)
class Sea:
    """Rows of gulls and jays, of which some are at sea."""

    X: Floats
    labels: list[str]
    split: list[str]
    water: Bools
    head: Head

    def table(self) -> FeatureTable:
        return FeatureTable.from_arrays(self.X, self.labels, split=self.split, head=self.head)

    def answers(self, rows: np.ndarray, why: str = "random") -> dict[int, Answer]:
        return {int(row): Answer("yes" if self.water[row] else "no", why) for row in rows}  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def sea() -> Sea:
    """Gulls are at sea, jays are not, but for 5 % in training and half of the test; zero-shot leans on it."""
    rng = np.random.default_rng(0)
    y, test = np.arange(N) % 2, np.arange(N) % 4 >= 2
    water = np.where(rng.random(N) < np.where(test, 0.5, 0.95), y == 0, y == 1)
    X = rng.normal(size=(N, 12)) * 0.6
    X[:, 0] += np.where(y == 0, 1.0, -1.0)
    X[:, 1] += np.where(water, 2.0, -2.0)
    text = np.zeros((2, 12), dtype=np.float32)
    text[:, 0], text[:, 1] = (0.9, -0.9), (0.43, -0.43)
    head = Head(
        np.eye(12, dtype=np.float32), None, ("gull", "jay"), text / np.linalg.norm(text, axis=1)[:, None]
    )
    labels = [("gull", "jay")[k] for k in y]
    split = np.where(test, "test", "train").tolist()
    return Sea(X.astype(np.float32), labels, split, water, head)


@pytest.fixture(scope="session")
def rows(sea: Sea) -> ReviewRows:
    return review_rows(sea.table())


def jpeg(color: tuple[int, int, int]) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (64, 64), color).save(stream, "JPEG")
    return stream.getvalue()


MakeStore = Callable[..., Path]


@pytest.fixture(scope="session")
def make_store(sea: Sea, tmp_path_factory: pytest.TempPathFactory) -> MakeStore:
    def make(*, images: bool = True, paths: list[str] | None = None) -> Path:
        path = tmp_path_factory.mktemp("review") / "sea.store"
        columns = {
            "id": [f"row-{k}" for k in range(N)],
            "path": paths or [""] * N,
            "label": sea.labels,
            "split": sea.split,
        }
        thumbnails = (
            [jpeg((0, 90, 200) if at_sea else (60, 140, 40)) for at_sea in sea.water] if images else None
        )
        with StoreWriter(
            path, identity={"family": "import"}, head=sea.head, width=12, dtype="float32"
        ) as writer:
            writer.write_part(sea.X, columns, (), thumbnails)
            writer.finish()
        return path

    return make


@pytest.fixture(scope="session")
def store(make_store: MakeStore) -> Path:
    return make_store()


@pytest.fixture(scope="session")
def stored(store: Path) -> ReviewRows:
    return review_rows(load_store(store))
