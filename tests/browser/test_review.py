"""The review page in a real browser: keys, undo, progress and images, on a desk and on a phone."""

from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from evenhand import load_store
from evenhand.review import read_answers, review_rows
from evenhand.review.server import ReviewServer
from evenhand.review.session import ReviewSession

pytestmark = pytest.mark.browser

Serve = Callable[[Path, Path], ReviewServer]


@pytest.fixture
def serve() -> Iterator[Serve]:
    running: list[tuple[ReviewServer, Thread]] = []

    def begin(store: Path, answers: Path) -> ReviewServer:
        session = ReviewSession(review_rows(load_store(store)), "Is it at sea?", answers, 12)
        server = ReviewServer(session)
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        running.append((server, thread))
        return server

    yield begin
    for server, thread in running:
        server.shutdown()
        thread.join()
        server.server_close()


class Address:
    """What `open_page` asks of a path."""

    def __init__(self, url: str) -> None:
        self._url = url

    def as_uri(self) -> str:
        return self._url


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_keys_answer_and_undo_and_the_progress_shows(
    small_run: Path, tmp_path: Path, serve: Serve, open_page: Callable[..., Any], width: int, scheme: str
) -> None:
    answers = tmp_path / "a.csv"
    server = serve(small_run.parent / "x.store", answers)
    opened = open_page(Address(server.url), width=width, scheme=scheme)
    page, count = opened.page, opened.page.locator("#count")

    def seen(text: str) -> None:
        page.wait_for_function("text => document.querySelector('#count').textContent === text", arg=text)

    seen("0 of 12")
    page.locator("#image").wait_for(state="visible")
    assert page.locator("#undo").is_disabled()
    assert page.get_by_role("heading", name="Is it at sea?").is_visible()
    for number, key in enumerate("120", start=1):
        page.keyboard.press(key)
        seen(f"{number} of 12")
    table = load_store(small_run.parent / "x.store")
    assert [answer.word for answer in read_answers(answers, table).values()] == ["yes", "no", "unclear"]
    page.keyboard.press("u")
    seen("2 of 12")
    page.get_by_role("button", name="undo").click()
    seen("1 of 12")
    page.get_by_role("button", name="no", exact=False).nth(1).click()
    seen("2 of 12")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for button in page.get_by_role("button").all():
        box = button.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert box["y"] + box["height"] <= 900
    for number in range(3, 13):
        page.keyboard.press("1")
        seen(f"{number} of 12")
    assert page.get_by_text("All rows are answered").is_visible()
    page.get_by_role("button", name="finish").click()
    page.get_by_text("You may close this page").wait_for()
    assert count.inner_text() == "12 of 12"
    assert opened.complaints == []
    assert all(url.startswith(server.url) for url in opened.requests)


def test_embeddings_alone_show_ids(
    make_run: Callable[..., Path], tmp_path: Path, serve: Serve, open_page: Callable[..., Any]
) -> None:
    store = make_run("ids", n=60, pictures=False, method="zero_shot").parent / "x.store"
    opened = open_page(Address(serve(store, tmp_path / "a.csv").url))
    opened.page.get_by_text("The store has no image of this row").wait_for()
    assert "row-" in opened.page.locator("#name").inner_text()
    assert opened.complaints == []
