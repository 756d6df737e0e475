import copy
import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import pytest

from evenhand import EvenhandError
from evenhand.reports.page import render, report


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
        "selection": "accuracy",
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
    path = report(RESULTS, tmp_path / "new" / "report.html")
    html = path.read_text(encoding="utf-8")
    assert all(address.startswith("#") for address in read(html).addresses)
    for text in (
        "45.0\u00a0%",
        "70.0\u00a0%",
        "waterbird / land",
        "erm was kept",
        "evenhand demo",
        "12 rows",
    ):
        assert text in html


def test_a_comparison_shows_what_it_would_keep_and_why() -> None:
    kept = {"seed": 3, "method": "cnc", "against": "cfr:nearest", "reason": "gain <b>0.2</b>"}
    mean = {"mean": 0.654, "low": None, "high": None}
    html = render({**RESULTS, "kept_method": [kept], "kept_summary": {"worst_group": mean, "plain": mean}})
    assert "What evenhand would keep" in html
    assert "a worst group of 65.4 % and a plain average of 65.4 %" in html
    line = re.findall(r"<tr><td class=\"top\">3</td>.*?</tr>", html, re.DOTALL)[0]
    assert "CNC" in line
    assert "CFR (nearest)" in line
    assert "gain &lt;b&gt;0.2&lt;/b&gt;" in line
    assert "What evenhand would keep" not in render(RESULTS)


def test_only_the_pages_own_scripts_may_run() -> None:
    html = render(RESULTS)
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', html)
    scripts = re.findall(r"<script>(.*?)</script>", html, flags=re.DOTALL)
    hashes = {b64encode(sha256(text.encode()).digest()).decode() for text in scripts}
    assert set(re.findall(r"sha256-([^&']*)&#39;", policy)) == hashes
    assert "unsafe-inline" not in policy.split("script-src")[1]
    assert "default-src &#39;none&#39;" in policy or "default-src 'none'" in policy


def test_names_are_escaped() -> None:
    data = copy.deepcopy(RESULTS)
    bad = "<script>alert(1)</script>"
    for entry in data["rows"]:  # type: ignore[attr-defined]
        entry["classes"][0]["name"] = entry["groups"][0]["name"] = bad
        entry["method"] = bad
        entry["kept"] = {"reason": bad}
    data["provenance"] = {bad: bad, "nested": {bad: [bad]}}
    html = render(data)
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)" in html


def test_failed_rows_tell_why() -> None:
    data = copy.deepcopy(RESULTS)
    data["rows"].append({"method": "dfr", "seed": 0, "status": "skipped", "reason": "needs groups"})  # type: ignore[attr-defined]
    # Once in the open, once in the folded table of every seed.
    assert render(data).count("skipped: needs groups") == 2


def test_nothing_fitted_still_gives_a_page() -> None:
    assert "No method gave a result." in render({"schema": 1, "provenance": {}, "rows": [], "summary": []})


def test_one_mark_per_seed_where_there_are_several() -> None:
    html = render(RESULTS)
    assert '<i class="seed"' in html
    assert "each thin stroke one seed" in html
    one = {**RESULTS, "rows": [row("erm", 0, 0.4, 0.9)]}
    assert '<i class="seed"' not in render(one)


def test_many_methods_are_lines_that_tell_their_use_of_group_labels() -> None:
    rows = [row(f"m{k}", 0, 0.4 + k / 10, 0.9) for k in range(5)]
    rows[4]["group_labels_used"] = "train"
    rows.append({**rows[0], "seed": 1, "status": "failed", "reason": "no memory"})
    html = render({**RESULTS, "rows": rows})
    assert "Methods side by side" in html
    assert "group labels: train" in html
    assert re.search(r"1 of 2\s*<small>failed</small>", html)


def test_of_many_groups_the_lowest_are_shown_and_it_is_said() -> None:
    groups = [rate(f"g{k:03d}", k / 1000) for k in range(1000)]
    html = render({**RESULTS, "rows": [{**row("erm", 0, 0.4, 0.9), "groups": groups}]})
    assert "The 24 lowest of 1,000 are shown" in html
    assert "g023" in html
    assert "g024" not in html


def test_without_groups_the_page_speaks_of_classes() -> None:
    html = render({**RESULTS, "rows": [{**row("erm", 0, None, 0.9), "groups": []}]})
    assert "worst class" in html
    assert "By group" not in html


def test_colors_exist_for_light_and_dark() -> None:
    html = render(RESULTS)
    assert "color-scheme: light dark" in html
    assert 'data-theme="dark"' in html


def test_a_page_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EvenhandError, match=r"report\.html cannot be written: .*file is not a folder"):
        report(RESULTS, tmp_path / "file" / "report.html")


def test_what_is_no_analysis_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        EvenhandError, match=r"^analysis: str is no analysis; give what `analyze_run` returns"
    ):
        report(RESULTS, tmp_path / "report.html", analysis="birds.run")  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())
