"""A page of very many rows: the map and the slices look at samples, and the page says of how many."""

from pathlib import Path

import numpy as np

from evenhand import Head, fit, load_store
from evenhand.audits.error_analysis import analyze_run
from evenhand.data.store_write import StoreWriter
from evenhand.reports.page import report
from evenhand.reports.source import read_source

ROWS, PART, WIDTH = 100_000, 25_000, 8
TRAINING = 1_000
"""Few, since the page is what is tested, and fits have tests of their own."""


def write_store(folder: Path) -> Path:
    """Write an imported store of float16 features in four parts."""
    head = Head(np.eye(WIDTH, dtype=np.float32), None, ("gull", "jay"), np.eye(2, WIDTH, dtype=np.float32))
    generator = np.random.default_rng(0)
    y = np.arange(PART) % 2
    identity = {"family": "import", "model": "none"}
    with StoreWriter(folder, identity=identity, head=head, width=WIDTH, dtype="float16") as writer:
        for start in range(0, ROWS, PART):
            X = generator.normal(size=(PART, WIDTH)).astype(np.float32)
            X[np.arange(PART), y] += 2
            rows = {
                "id": list(map(str, range(start, start + PART))),
                "path": [""] * PART,
                "label": np.array(["gull", "jay"])[y].tolist(),
                "split": ["train" if row < TRAINING else "test" for row in range(start, start + PART)],
            }
            writer.write_part(X, rows, (), None)
        writer.finish()
    return folder


def test_the_page_says_how_many_it_looked_at(tmp_path: Path) -> None:
    table = load_store(write_store(tmp_path / "x.store"))
    assert isinstance(table.parts[0], np.memmap)
    fit(table, method="zero_shot", out=tmp_path / "x.run")
    del table
    results, _ = read_source(tmp_path / "x.run")
    analysis = analyze_run(tmp_path / "x.run", vocabulary=Path("none"))
    page = report(results, tmp_path / "report.html", analysis=analysis)
    html = page.read_text(encoding="utf-8")
    assert "2,000 of 99,000 test rows, drawn at random." in html
    assert "use 20,000 of 99,000 rows, drawn with seed 0" in html
    assert page.stat().st_size < 1_000_000, "hardly larger than the page of a few rows without pictures"
