"""The report in a real browser: it loads, it answers, it is accessible, and hostile names stay text."""

import csv
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evenhand import compare
from evenhand.audits.error_analysis import analyze_run
from evenhand.data.store import load_store
from evenhand.reports import embedding_map
from evenhand.reports import page as report_page
from evenhand.reports.source import read_source

pytestmark = pytest.mark.browser

BAD = '</script><script>document.title = "hacked"</script><img src=x onerror="document.title = 1">'
LARGEST = 10_000_000

OpenPage = Callable[..., Any]
MakeRun = Callable[..., Path]


def report(run: Path, folder: Path) -> Path:
    results, found = read_source(run)
    analysis = None if found is None else analyze_run(found)
    return report_page.report(results, folder / "report.html", analysis=analysis, saliency=False)


@pytest.fixture(scope="module")
def small(small_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return report(small_run, tmp_path_factory.mktemp("small"))


def thumbnail_of(page: Any) -> list[int]:
    """Return the distinct values of the pixels in the detail's thumbnail."""
    found: list[int] = page.evaluate(
        """() => {
            const one = document.querySelector(".detail canvas");
            const pen = one && one.getContext("2d");
            return one ? [...new Set(pen.getImageData(0, 0, one.width, one.height).data)] : [];
        }"""
    )
    return found


def plot_of(page: Any) -> str:
    picture: str = page.evaluate("document.querySelector('canvas.plot').toDataURL()")
    return picture


def drawn(page: Any) -> None:
    """Wait for the next frame: a change of the model is drawn in one."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


@pytest.mark.parametrize("width", [1280, 390])
def test_it_loads_silently_and_asks_for_nothing(small: Path, open_page: OpenPage, width: int) -> None:
    opened = open_page(small, width=width)
    opened.page.wait_for_selector(".detail canvas")
    assert opened.complaints == []
    assert [url for url in opened.requests if not url.startswith("data:")] == [small.as_uri()]
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
    cut = """() => [...document.querySelectorAll("body *")]
        .filter((one) => one.getBoundingClientRect().right > innerWidth + 1 && !one.closest(".scroll"))
        .map((one) => one.outerHTML.slice(0, 80))"""
    assert opened.page.evaluate(cut) == []
    bar = "(() => { const nav = document.querySelector('nav'); return nav.scrollWidth - nav.clientWidth })()"
    assert opened.page.evaluate(bar) <= 0
    broken = "[...document.images].filter((one) => !one.naturalWidth).length"
    assert opened.page.evaluate(broken) == 0


def test_on_a_phone_no_table_is_cut_and_each_value_names_its_column(small: Path, open_page: OpenPage) -> None:
    page = open_page(small, width=390).page
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    cut = "[...document.querySelectorAll('.scroll')].filter((one) => one.scrollWidth > one.clientWidth + 1)"
    assert page.evaluate(f"{cut}.map((one) => one.getAttribute('aria-label'))") == []
    cell = "[...document.querySelectorAll('[aria-label=Columns] td')].pop()"
    assert page.evaluate(f"getComputedStyle({cell}, '::before').content") == '"why"'
    page.set_viewport_size({"width": 1280, "height": 900})
    assert page.evaluate(f"getComputedStyle({cell}, '::before').content") == "none"


@pytest.mark.parametrize("methods", [4, 6])
def test_on_a_phone_no_table_of_many_methods_is_cut(
    small_run: Path, tmp_path: Path, open_page: OpenPage, methods: int
) -> None:
    names = ["zero_shot", "linear_probe", "balanced_probe", "dfr", "ppa", "evals"][:methods]
    compare(
        load_store(small_run.parent / "x.store"), methods=names, seeds=range(1), out=tmp_path / "x.compare"
    )
    page = open_page(report(tmp_path / "x.compare", tmp_path), width=390).page
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    cut = "[...document.querySelectorAll('.scroll')].filter((one) => one.scrollWidth > one.clientWidth + 1)"
    assert page.evaluate(f"{cut}.map((one) => one.getAttribute('aria-label'))") == []
    assert page.evaluate("document.querySelectorAll('.measures.named').length") >= 1


def test_another_model_color_and_filter_change_the_map(small: Path, open_page: OpenPage) -> None:
    page = open_page(small).page
    gulls = page.locator(".values").get_by_role("button", name=re.compile("^gull "))
    seen = [plot_of(page)]
    page.get_by_label("zero-shot").check()
    drawn(page)
    seen.append(plot_of(page))
    page.get_by_label("Color by").select_option(label="class")
    seen.append(plot_of(page))
    gulls.click()
    seen.append(plot_of(page))
    assert gulls.get_attribute("aria-pressed") == "false"
    gulls.click()
    assert plot_of(page) == seen[2]
    page.get_by_label("only what changed").check()
    seen.append(plot_of(page))
    assert len(set(seen)) == len(seen)


def test_the_map_is_colored_by_slice_and_by_right_or_wrong(small: Path, open_page: OpenPage) -> None:
    page = open_page(small).page
    color = page.get_by_label("Color by")
    seen = [plot_of(page)]
    color.select_option(label="slice (ERM)")
    seen.append(plot_of(page))
    assert re.search(r"(gull|jay) \d+ \(\d+\)", page.locator(".values").inner_text())
    assert "no slice (" in page.locator(".values").inner_text()
    color.select_option(label="correct or wrong")
    seen.append(plot_of(page))
    after = page.locator(".values").inner_text()
    page.get_by_role("button", name=re.compile("^wrong ")).click()
    seen.append(plot_of(page))
    page.get_by_label("ERM", exact=True).check()
    drawn(page)
    seen.append(plot_of(page))
    assert page.locator(".values").inner_text() != after
    assert page.get_by_role("button", name=re.compile("^wrong ")).get_attribute("aria-pressed") == "false"
    assert len(set(seen)) == len(seen)


def test_slices_show_pictures_of_their_errors(small: Path, open_page: OpenPage) -> None:
    page = open_page(small).page
    slices = page.locator("#slices")
    assert slices.get_by_role("heading", name="Where ERM errs").is_visible()
    assert slices.locator("details.slice img").count() > 5
    assert slices.get_by_role("region", name=re.compile("Error rate in the slices of ERM")).is_visible()


def test_hovering_and_arrow_keys_show_a_rows_picture(small: Path, open_page: OpenPage) -> None:
    page = open_page(small).page
    plot = page.locator("canvas.plot")
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    first = page.locator(".detail").inner_text()
    seen = set()
    for k in range(40):
        page.mouse.move(
            box["x"] + box["width"] * (k % 8 + 1) / 9, box["y"] + box["height"] * (k // 8 + 1) / 6
        )
        seen.add(page.locator(".detail").inner_text())
    assert len(seen - {first}) > 1
    assert len(thumbnail_of(page)) > 20
    plot.focus()
    reached = set()
    for key in ("ArrowLeft", "ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"):
        page.keyboard.press(key)
        reached.add(page.locator(".detail dd").first.inner_text())
    assert len(reached) > 1
    assert len(thumbnail_of(page)) > 20


def saved(page: Any, button: Any) -> list[list[str]]:
    """Return the rows of the CSV that a button downloads."""
    with page.expect_download() as waiting:
        button.click()
    with Path(waiting.value.path()).open(encoding="utf-8", newline="") as stream:
        return list(csv.reader(stream))


def test_rows_are_found_and_saved(small: Path, open_page: OpenPage) -> None:
    page = open_page(small).page
    found, save = page.locator(".found p"), page.get_by_role("button", name="Download CSV")
    form = page.locator(".find")
    form.get_by_label("class").select_option(label="gull")
    form.get_by_label("right or wrong").select_option("wrong")
    header, *rows = saved(page, save)
    assert header[:3] == ["id", "path", "label"]
    assert header[-1] == "predicted by CFR"
    assert {(row[2], row[-1]) for row in rows} == {("gull", "jay")}
    assert found.inner_text().startswith(f"{len(rows)} of 400 rows")
    form.get_by_label("Search").fill(rows[0][0])
    assert rows[0] in saved(page, save)[1:]
    page.locator(".found button").first.click()
    assert page.locator(".detail dd").first.inner_text().startswith(rows[0][0])
    page.get_by_role("button", name="Clear").click()
    page.get_by_text("All 400 rows.").wait_for()


def test_drawing_around_points_chooses_them(small: Path, open_page: OpenPage) -> None:
    page = open_page(small).page
    plot = page.locator("canvas.plot")
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    corners = [(0.02, 0.02), (0.02, 0.98), (0.5, 0.98), (0.5, 0.02)]
    points = [(box["x"] + box["width"] * x, box["y"] + box["height"] * y) for x, y in corners]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=3)
    page.mouse.up()
    half = saved(page, page.get_by_role("button", name="Download CSV"))[1:]
    assert 0 < len(half) < 400
    assert page.locator(".found p").inner_text().startswith(f"{len(half)} of 400 rows")


def test_a_slice_is_saved_with_its_errors_first(small: Path, open_page: OpenPage) -> None:
    page = open_page(small).page
    header, *rows = saved(page, page.locator(".csv").first)
    assert header == ["id", "path", "label", "predicted", "slice", "model", "right"]
    assert len({(row[2], row[4], row[5]) for row in rows}) == 1
    assert [row[6] for row in rows] == sorted(row[6] for row in rows)
    assert {row[6] for row in rows} == {"true", "false"}


def test_an_image_is_enlarged_with_its_path(small: Path, open_page: OpenPage) -> None:
    page = open_page(small).page
    page.locator("#slices .thumb").first.click()
    viewer = page.get_by_role("dialog")
    path = page.locator("#slices .thumb").first.get_attribute("data-path")
    assert viewer.locator("code").inner_text() == path
    assert viewer.locator("img").bounding_box()["width"] > 200
    page.keyboard.press("Escape")
    assert viewer.is_hidden()
    page.locator(".detail .large").click()
    assert viewer.locator("code").inner_text().startswith("/gone/")
    viewer.get_by_role("button", name="Close").click()
    assert viewer.is_hidden()


def test_the_next_command_is_copied(small: Path, open_page: OpenPage) -> None:
    page = open_page(small, permissions=["clipboard-read", "clipboard-write"]).page
    page.get_by_text("What to do next, with the commands").click()
    step = page.locator(".steps li").first
    step.get_by_role("button", name="Copy").click()
    step.get_by_role("button", name="Copied").wait_for()
    command = step.locator("code").inner_text()
    assert command.startswith("evenhand ")
    assert page.evaluate("navigator.clipboard.readText()") == command


def test_the_gallery_sorts_by_margin(small: Path, open_page: OpenPage) -> None:
    page = open_page(small).page
    margins = "[...document.querySelector('.sortable').children].map((one) => Number(one.dataset.margin))"
    low = page.evaluate(margins)
    page.get_by_label("Sort by").select_option("high")
    assert page.evaluate(margins) == sorted(low, reverse=True) != low


def test_the_colors_follow_the_system_and_the_button(small: Path, open_page: OpenPage) -> None:
    page = open_page(small, scheme="dark").page
    paper = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(paper)
    page.get_by_role("button", name="Switch to light colors").click()
    assert page.evaluate(paper) != dark
    page.get_by_role("button", name="Switch to dark colors").click()
    assert page.evaluate(paper) == dark


def test_it_prints_unfolded(small: Path, open_page: OpenPage) -> None:
    page = open_page(small).page
    folded = "document.querySelectorAll('details:not([open])').length"
    before = page.evaluate(folded)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert (before > 0, page.evaluate(folded)) == (True, 0)
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 720, "height": 1000})  # A4 between margins
    cut = "[...document.querySelectorAll('.scroll')].filter((one) => one.scrollWidth > one.clientWidth + 1)"
    assert page.evaluate(f"{cut}.map((one) => one.getAttribute('aria-label'))") == []
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate(folded) == before
    assert page.pdf()[:4] == b"%PDF"


def test_without_scripts_the_figures_are_there(small: Path, open_page: OpenPage) -> None:
    page = open_page(small, java_script_enabled=False).page
    assert page.locator(".live").is_hidden()
    assert page.get_by_role("heading", name="Before and after").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_no_serious_fault(small: Path, open_page: OpenPage, scheme: str, width: int) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    # The page forbids scripts that are not its own, axe's too: it is let in for the check alone.
    page = open_page(small, scheme=scheme, width=width, bypass_csp=True).page
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    found = axe.Axe().run(page).response["violations"]
    serious = [one for one in found if one["impact"] in ("serious", "critical")]
    assert not serious, [(one["id"], one["nodes"][0]["html"]) for one in serious]


def test_hostile_names_stay_text(make_run: MakeRun, tmp_path: Path, open_page: OpenPage) -> None:
    run = make_run("hostile", n=120, classes=(BAD, "jay"), places=(BAD, "wood"), ids=lambda k: f"{BAD}{k}")
    opened = open_page(report(run, tmp_path))
    assert opened.complaints == []
    assert opened.page.title() == "evenhand report: x.run"
    assert opened.page.locator("img[src=x]").count() == 0
    assert opened.page.get_by_text(BAD).count() > 0
    assert BAD in opened.page.locator(".values").inner_text()


def test_ten_thousand_rows_stay_under_ten_megabytes(
    make_run: MakeRun, tmp_path: Path, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run("large", n=10_000, method="erm")
    # The first two coordinates in place of t-SNE, which takes most of the time: the page is as large.
    plain = lambda models, seed: [Z[:, :2] / np.abs(Z[:, :2]).max() for Z in models]  # noqa: E731
    monkeypatch.setattr(embedding_map, "layouts", plain)
    page = report(run, tmp_path)
    assert page.stat().st_size < LARGEST
    opened = open_page(page)
    opened.page.wait_for_selector(".values button")
    assert opened.complaints == []
    assert opened.page.get_by_text("2,000 of 5,000 test rows, drawn at random.").is_visible()


def test_imported_embeddings_have_a_map_without_pictures(
    make_run: MakeRun, tmp_path: Path, open_page: OpenPage
) -> None:
    opened = open_page(report(make_run("imported", n=60, pictures=False), tmp_path))
    assert opened.complaints == []
    assert opened.page.get_by_text("The store has no thumbnails").is_visible()
    plot = opened.page.locator("canvas.plot")
    plot.focus()
    opened.page.keyboard.press("ArrowRight")
    assert "row-" in opened.page.locator(".detail").inner_text()
    assert opened.page.locator(".detail canvas").count() == 0
    assert opened.page.locator("#slices .gallery, #changes .gallery, #saliency, #calibration").count() == 0
