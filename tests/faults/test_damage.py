"""Of a store, a run or a comparison no byte changes unseen, and no card edited by hand is believed."""

import hashlib
import json
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from evenhand.data.store_layout import json_text

NASTY = (
    None,
    True,
    -1,
    2**70,
    1e999,
    "",
    "x" * 5000,
    "../../etc/passwd",
    "\x1b[31m",
    [],
    {},
    [[]],
    {"a": {}},
)


def flip(path: Path, rng: random.Random) -> None:
    """Change one bit of a file."""
    content = bytearray(path.read_bytes())
    content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    path.write_bytes(content)


def seal(card: dict[str, Any]) -> str:
    """Return the text of a card with the checksum that its author would have written."""
    card.pop("checksum", None)
    return json_text({**card, "checksum": hashlib.sha256(json_text(card).encode()).hexdigest()})


def files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.is_file() and file.name != ".lock")


def test_a_flipped_byte_of_a_store(warm: Any, embedded: Path, tmp_path: Path) -> None:
    rng = random.Random("store")
    for file in files(embedded / "s.store"):
        copy = tmp_path / "s.store"
        shutil.copytree(embedded / "s.store", copy)
        name = file.relative_to(embedded / "s.store")
        flip(copy / name, rng)
        assert str(copy / name) in warm.refused(tmp_path, "audit", copy)
        shutil.rmtree(copy)


def test_a_flipped_byte_of_a_run(warm: Any, embedded: Path, photos: Path, tmp_path: Path) -> None:
    rng = random.Random("run")
    # A report of another test may have kept what it found, which counts as none if it is damaged.
    found = [file for file in files(embedded / "s.run") if "audit.json" not in file.name]
    assert len(found) == 6
    for file in found:
        copy = tmp_path / "s.run"
        shutil.copytree(embedded / "s.run", copy)
        flip(copy / file.name, rng)
        assert str(copy / file.name) in warm.refused(tmp_path, "predict", copy, photos, "--device", "cpu")
        shutil.rmtree(copy)
    assert list(tmp_path.iterdir()) == []


def test_a_flipped_byte_of_a_comparison(warm: Any, rows: Path, kit: SimpleNamespace, tmp_path: Path) -> None:
    command = ("compare", rows, "--methods", "erm", "--seeds", "1", "--jobs", "1", "--out", "out")
    warm.good(tmp_path, *command)
    whole, rng = kit.contents(tmp_path), random.Random("comparison")
    for file in files(tmp_path / "out"):
        flip(file, rng)
        warm.good(tmp_path, *command)
        assert kit.contents(tmp_path) == whole, file


def test_a_card_edited_by_hand(warm: Any, embedded: Path, photos: Path, tmp_path: Path) -> None:
    shutil.copytree(embedded / "s.run", tmp_path / "s.run")
    path = tmp_path / "s.run" / "card.json"
    path.write_text(path.read_text().replace('"seed": 0', '"seed": 1'))
    sentence = warm.refused(tmp_path, "predict", "s.run", photos, "--device", "cpu")
    assert "card.json was changed since the fit; run fit again" in sentence


def places(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the place of everything in a JSON value."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        yield (*above, key)
        if isinstance(inner, (dict, list)):
            yield from places(inner, (*above, key))


def changed(text: str, rng: random.Random) -> tuple[dict[str, Any], str]:
    """Return a JSON object with one thing in it exchanged, and what was done to it."""
    card: dict[str, Any] = json.loads(text)
    place, nasty = rng.choice(list(places(card))), rng.choice(NASTY)
    at: Any = card
    for key in place[:-1]:
        at = at[key]
    if rng.random() < 0.2 and isinstance(at, dict):
        del at[place[-1]]
        return card, f"without {place}"
    at[place[-1]] = nasty
    return card, f"{place} is {nasty!r}"


def of_run_card(folder: Path, rng: random.Random) -> str:
    path = folder / "s.run" / "card.json"
    card, what = changed(path.read_text(), rng)
    path.write_text(seal(card))
    return what


def of_results(folder: Path, rng: random.Random) -> str:
    path = folder / "s.run" / "results.json"
    results, what = changed(path.read_text(), rng)
    path.write_text(json.dumps(results))
    card = json.loads((folder / "s.run" / "card.json").read_text())
    card["files"]["results.json"] = hashlib.sha256(path.read_bytes()).hexdigest()
    (folder / "s.run" / "card.json").write_text(seal(card))
    return what


def of_store_card(folder: Path, rng: random.Random) -> str:
    path = folder / "s.store" / "card.json"
    card, what = changed(path.read_text(), rng)
    path.write_text(seal(card))
    return what


@pytest.mark.parametrize("change", [of_run_card, of_results, of_store_card])
def test_a_forged_card_is_believed_or_refused_but_never_a_traceback(
    change: Callable[[Path, random.Random], str],
    warm: Any,
    embedded: Path,
    photos: Path,
    trials: int,
    tmp_path: Path,
) -> None:
    store = embedded / "s.store"
    commands: list[tuple[Any, ...]] = [
        ("predict", "s.run", photos, "--device", "cpu"),
        ("report", "s.run", "--store", "s.store"),
        ("export", "s.run", "--to", "open_clip", "--out", "exported"),
        ("audit", "s.store", "--against", "s.run"),
    ]
    for number in range(2 * trials):
        rng = random.Random(f"{change.__name__} {number}")
        folder = tmp_path / str(number)
        shutil.copytree(embedded / "s.run", folder / "s.run")
        shutil.copytree(store, folder / "s.store")
        what = change(folder, rng)
        command = rng.choice(commands)
        done = warm.run(folder, *command)
        assert done.code in (0, 1), (what, command, done)
        assert "Traceback" not in done.stderr, (what, command, done)
        shutil.rmtree(folder)
