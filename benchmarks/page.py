"""The report of a run on many images: how large the file is, and how long a browser takes to open it.

Scenes are drawn, embedded by the embedded model and fitted; the page holds all but saliency, which adds
a dozen small images whatever the number of rows. Each round opens the page in a browser without a cache and
waits until the map is drawn and the first thumbnail shown.

    python benchmarks/page.py --images 10000 --rounds 5 --out out/bench/page.json
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
from pathlib import Path

from _models import scenes
from _timing import Row, Spread, report

import evenhand
from evenhand import embed, fit, load_tiny

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
SECONDS, MEGABYTES = 2.0, 10.0


def page_of(folder: Path, images: int) -> Path:
    table = embed(scenes(folder / "photos", images), load_tiny(), folder / "x.store")
    results = fit(table, method="cfr", out=folder / "x.run")
    found = evenhand.analyze_run(folder / "x.run")
    return evenhand.report(results, folder / "report.html", analysis=found, saliency=False)


def seconds_to_open(page: Path, rounds: int) -> tuple[list[float], list[float]]:
    """Return seconds by the clock, and seconds that the page's main thread worked, of each round."""
    from playwright.sync_api import sync_playwright

    found, work = [], []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        for _ in range(rounds):
            context = browser.new_context(viewport={"width": 1280, "height": 900})
            tab = context.new_page()
            session = context.new_cdp_session(tab)
            session.send("Performance.enable", {"timeDomain": "threadTicks"})
            start = time.perf_counter()
            tab.goto(page.as_uri(), wait_until="load")
            tab.wait_for_selector(".detail canvas")
            found.append(time.perf_counter() - start)
            metrics = session.send("Performance.getMetrics")["metrics"]
            work.append(next(one["value"] for one in metrics if one["name"] == "ThreadTime"))
            context.close()
        browser.close()
    return found, work


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        page = page_of(Path(folder), given.images)
        size = page.stat().st_size / 1e6
        details = {"images": given.images, "rounds": given.rounds}
        rows = [Row("size, MB", Spread.of([size]), f"≤ {MEGABYTES:g}", size <= MEGABYTES, details)]
        if CHROMIUM is None:
            print("not measured without a chromium: seconds to open; name one in CHROMIUM")
        else:
            clock, work = seconds_to_open(page, given.rounds)
            opened = Spread.of(clock)
            met = opened.median <= SECONDS
            rows.append(Row("seconds to open", opened, f"≤ {SECONDS:g}", met, details))
            rows.append(Row("seconds of the main thread", Spread.of(work), "", None, details))
    report(f"Report of {given.images:,} images", rows, given.out)


if __name__ == "__main__":
    main()
