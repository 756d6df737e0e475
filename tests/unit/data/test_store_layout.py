import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from evenhand._errors import EvenhandError
from evenhand.data.store import load_store
from evenhand.data.store_card import StoreCard, read_card
from evenhand.data.store_layout import json_text


def edit(store: Path, change: Callable[[dict[str, Any]], object]) -> None:
    data = json.loads((store / "card.json").read_text("utf-8"))
    change(data)
    (store / "card.json").write_text(json_text(data), "utf-8")


def test_the_card_is_the_documented_one(store: Path) -> None:
    data = json.loads((store / "card.json").read_text("utf-8"))
    assert set(data) == {
        *("schema", "kind", "identity", "head", "width", "dtype", "parts", "rows", "skipped"),
        *("attributes", "files", "checksum"),
    }
    assert (data["schema"], data["parts"], data["rows"], data["skipped"]) == (1, [3, 3, 3], 9, 3)
    on_disk = {str(f.relative_to(store)) for f in store.rglob("*") if f.is_file()}
    assert set(data["files"]) == on_disk - {"card.json", ".lock"}


def test_another_schema(store: Path) -> None:
    edit(store, lambda card: card.update(schema=2))
    with pytest.raises(EvenhandError, match=r"card\.json has schema 2, this version reads 1"):
        load_store(store)


def test_another_kind(store: Path) -> None:
    edit(store, lambda card: card.update(kind="run"))
    with pytest.raises(EvenhandError, match=r"is not a store: its card\.json is another's"):
        load_store(store)
    (store / "card.json").write_text("[]")
    with pytest.raises(EvenhandError, match=r"is not a store: its card\.json is another's"):
        load_store(store)


def test_no_json(store: Path) -> None:
    (store / "card.json").write_bytes(b'{"schema": \xff}')
    with pytest.raises(EvenhandError, match="cannot be read as JSON"):
        load_store(store)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda card: card.pop("width"), "width"),
        (lambda card: card.update(width="4"), "width"),
        (lambda card: card.update(dtype="float64"), "dtype"),
        (lambda card: card.update(extra=1), "extra"),
        (lambda card: card["head"].update(logit_scale=float("nan")), r"head\.logit_scale"),
        (lambda card: card["files"].update({"rows.parquet": "abc"}), r"files\.rows\.parquet"),
        (
            lambda card: card["files"].update({"../../secret": "0" * 64}),
            "its counts: .* does not name the files",
        ),
        (lambda card: card["files"].pop("rows.parquet"), "its counts: .* does not name the files"),
        (lambda card: card.update(rows=8), "its counts: .* do not make 8 rows"),
    ],
)
def test_malformed(store: Path, change: Callable[[dict[str, Any]], object], place: str) -> None:
    edit(store, change)
    with pytest.raises(EvenhandError, match=f"malformed at {place}"):
        load_store(store)


@pytest.mark.parametrize(
    "change",
    [
        lambda card: card["identity"].update(model="another"),
        lambda card: card["head"].update(logit_scale=21.0),
        lambda card: card.pop("checksum"),
        lambda card: card.update(checksum="0" * 64),
    ],
)
def test_edited_by_hand(store: Path, change: Callable[[dict[str, Any]], object]) -> None:
    edit(store, change)
    with pytest.raises(EvenhandError, match=r"card\.json was changed since the store was made"):
        load_store(store)


def test_white_space_is_an_edit(store: Path) -> None:
    text = (store / "card.json").read_text("utf-8")
    (store / "card.json").write_text(text + "\n", "utf-8")
    with pytest.raises(EvenhandError, match="was changed"):
        read_card(store)


def test_unfinished(tmp_path: Path, kit: SimpleNamespace) -> None:
    with pytest.raises(InterruptedError):
        kit.make(tmp_path / "s", stop=2)
    with pytest.raises(EvenhandError, match="is unfinished; to resume it, run the same command again"):
        load_store(tmp_path / "s")


@pytest.mark.parametrize(
    ("program", "command"), [("evenhand", "evenhand embed 'my photos'"), ("pytest", "the same command again")]
)
def test_unfinished_says_how_far_and_what_goes_on(
    tmp_path: Path, kit: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, program: str, command: str
) -> None:
    monkeypatch.setattr("sys.argv", [f"/bin/{program}", "embed", "my photos"])
    with kit.writer(tmp_path / "s", {"part_rows": 4}, images=11) as out:
        out.write_part(*kit.part(0))
    with pytest.raises(
        EvenhandError, match=f"is unfinished: 4 of 11 images are done; to resume it, run {command}$"
    ):
        load_store(tmp_path / "s")


def test_text_and_card_are_one(store: Path) -> None:
    card = read_card(store)
    data = json.loads(card.text())
    data.pop("checksum")
    assert StoreCard.model_validate(data) == card
