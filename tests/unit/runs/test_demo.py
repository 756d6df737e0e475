from pathlib import Path
from typing import Any

import pytest

from evenhand.runs import demo


def test_scenes_whose_drawing_was_interrupted_are_drawn_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = []

    def interrupted(folder: Path, **_: Any) -> None:
        (folder / "train").mkdir(parents=True, exist_ok=True)
        drawn.append(folder)
        raise KeyboardInterrupt

    monkeypatch.setattr(demo, "load_tiny", lambda: None)
    monkeypatch.setattr(demo, "write_scenes", interrupted)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            demo.run_demo(tmp_path, seeds=[0])
    assert drawn == [tmp_path / "seed-0" / "photos"] * 2
