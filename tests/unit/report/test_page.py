import copy
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from evenhand import EvenhandError
from evenhand.report.page import render, render_report


def rate(name: str, value: float | None, n: int = 100) -> dict[str, object]:
    low, high = (None, None) if value is None else (max(value - 0.05, 0), min(value + 0.05, 1))
    return {"name": name, "n": n, "value": value, "low": low, "high": high}


def row(method: str, seed: int, worst: float | None, plain: float) -> dict[str, object]:
    return {
        "method": method,
        "seed": seed,
        "status": "ok",
        "reason": None,
        "group_labels_used": "none",
        "kept": {"reason": f"{method} was kept"},
        "split": "test",
        "worst_group": None if worst is None else rate("waterbird / land", worst),
        "worst_class": rate("waterbird", 0.8),
        "averages": {"plain": plain, "train_weighted": None, "group_mean": None, "class_mean": 0.9},
        "classes": [rate("landbird", 0.9), rate("waterbird", 0.8)],
        "groups": [rate("waterbird / land", worst, 12), rate("landbird / water", None, 0)],
        "fit_seconds": 1.25,
    }


RESULTS = {
    "schema": 1,
    "provenance": {"command": "evenhand demo", "versions": {"torch": "2"}},
    "rows": [row("erm", 0, 0.40, 0.9), row("erm", 1, 0.50, 0.9), row("cfr", 0, 0.70, 0.9)],
    "summary": [],
}


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    return reader


def test_page_is_self_contained_and_shows_the_numbers(tmp_path: Path) -> None:
    path = render_report(RESULTS, tmp_path / "new" / "report.html")
    html = path.read_text(encoding="utf-8")
    reader = read(html)
    assert "script" not in reader.tags
    assert reader.addresses == []
    for text in ("45.0\u00a0%", "70.0\u00a0%", "waterbird / land", "erm was kept", "evenhand demo", "few"):
        assert text in html


def test_names_are_escaped() -> None:
    data = copy.deepcopy(RESULTS)
    bad = "<script>alert(1)</script>"
    for entry in data["rows"]:  # type: ignore[attr-defined]
        entry["classes"][0]["name"] = entry["groups"][0]["name"] = bad
        entry["method"] = bad
        entry["kept"] = {"reason": bad}
    data["provenance"] = {bad: bad, "nested": {bad: [bad]}}
    html = render(data)
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_failed_rows_tell_why() -> None:
    data = copy.deepcopy(RESULTS)
    data["rows"].append({"method": "dfr", "seed": 0, "status": "skipped", "reason": "needs groups"})  # type: ignore[attr-defined]
    # Once in the open, once in the folded table of every seed.
    assert render(data).count("skipped: needs groups") == 2


def test_nothing_fitted_still_gives_a_page() -> None:
    assert "No method gave a result." in render({"schema": 1, "provenance": {}, "rows": [], "summary": []})


def test_one_mark_per_seed_where_there_are_several() -> None:
    html = render(RESULTS)
    assert html.count('<i style="left:') == 2
    assert "each thin mark is one seed" in html
    one = {**RESULTS, "rows": [row("erm", 0, 0.4, 0.9)]}
    assert '<i style="left:' not in render(one)


def test_without_groups_the_page_speaks_of_classes() -> None:
    html = render({**RESULTS, "rows": [{**row("erm", 0, None, 0.9), "groups": []}]})
    assert "worst class" in html
    assert "By group" not in html


def test_colours_exist_for_light_and_dark() -> None:
    assert re.search(r"prefers-color-scheme:\s*dark", render(RESULTS))


def test_a_page_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EvenhandError, match="cannot write"):
        render_report(RESULTS, tmp_path / "file" / "report.html")
