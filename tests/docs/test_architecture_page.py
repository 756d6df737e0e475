"""The picture is drawn from the imports, and the table names files that exist."""

import re
from itertools import pairwise
from pathlib import Path

import pytest
from tests.script import ROOT, load_script

SCRIPT = load_script("architecture_picture")
PAGE = ROOT / "docs" / "explanation" / "architecture.md"


def test_the_picture_is_what_the_imports_say() -> None:
    assert SCRIPT.PICTURE.read_text(encoding="utf-8") == SCRIPT.picture(), "run: make reference"


def test_packages_stand_above_what_they_import() -> None:
    graph = SCRIPT.imports()
    rank = SCRIPT.layers(graph)
    assert all(rank[source] > rank[target] for source, targets in graph.items() for target in targets)
    assert rank[SCRIPT.BASE] == 0


def test_arrows_that_follow_from_others_are_left_out() -> None:
    graph = {"a": {"b", "c"}, "b": {"c"}, "c": set()}
    assert SCRIPT.direct(graph) == {"a": {"b"}, "b": {"c"}, "c": set()}
    assert SCRIPT.layers(graph) == {"c": 0, "b": 1, "a": 2}


def test_a_cycle_is_refused() -> None:
    with pytest.raises(SystemExit, match="cycle"):
        SCRIPT.layers({"a": {"b"}, "b": {"a"}})


def test_boxes_of_a_layer_do_not_overlap() -> None:
    places = sorted((y, x) for x, y in SCRIPT.placed(SCRIPT.imports()).values())
    neighbors = [(right - left) for (y, left), (below, right) in pairwise(places) if y == below]
    assert min(neighbors) > SCRIPT.WIDTH


def test_the_table_names_files_that_exist() -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    named = [path for row in rows for path in re.findall(r"`([\w-]+/[\w/.-]+\.\w+)`", row)]
    assert len(named) >= 30
    folders = (ROOT / "src" / "evenhand", ROOT)
    missing = [path for path in named if not any(Path(folder, path).is_file() for folder in folders)]
    assert not missing
