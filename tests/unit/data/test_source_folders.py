"""What the files of a folder are: containers, or the images themselves."""

from pathlib import Path

import pytest

from evenhand.data.sources.folders import contents, folder_source
from evenhand.data.sources.kinds import Archives


def touch(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


@pytest.mark.parametrize(
    "images", [("cat/1.png",), tuple(f"{k}.png" for k in range(101))], ids=["in a folder", "many"]
)
def test_images_beside_an_archive_are_the_data(tmp_path: Path, images: tuple[str, ...]) -> None:
    assert contents(touch(tmp_path, "a.zip", *images)) is None


def test_few_images_and_those_of_a_readme_lie_beside(tmp_path: Path) -> None:
    few = tuple(f"{k:03}.png" for k in range(99))
    found = contents(touch(tmp_path, "a.zip", "b.parquet", "cache-1.arrow", "x.txt", "docs/1.png", *few))
    assert found is not None
    assert (found.containers, found.others) == (["a.zip", "b.parquet"], ["cache-1.arrow", "x.txt"])
    assert len(found.images) == 100


def test_a_readme_is_not_among_the_skipped_files(tmp_path: Path) -> None:
    def notes() -> str:
        source = folder_source(tmp_path)
        assert isinstance(source, Archives)
        return " ".join(source.notes)

    touch(tmp_path, "a.zip", "README.md", "README")
    assert notes() == ""
    touch(tmp_path, "z.txt")
    assert "skipped: z.txt" in notes()
    assert "README" not in notes()
