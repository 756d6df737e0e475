"""Exports that the Hub's real client uploads to a server on loopback."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.small_hub import SmallHub, small_hub, turn_to
from typer.testing import CliRunner

from evenhand import EvenhandError
from evenhand.cli import export as command
from evenhand.cli.app import app
from evenhand.exports.push import check_push, files_of, push


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallHub]:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
    with small_hub() as server:
        turn_to(server.url, monkeypatch)
        yield server


def run(*arguments: object, code: int = 0, text: str | None = None) -> Any:
    done = CliRunner().invoke(app, ["export", *map(str, arguments)], input=text)
    assert done.exit_code == code, (done.stdout, done.stderr, done.exception)
    return done


@pytest.mark.parametrize(
    ("model", "to"), [("vit", "open_clip"), ("vit", "transformers"), ("vit", "onnx")], ids=lambda one: one
)
def test_every_format_is_uploaded_with_its_card(
    model: str, to: str, hub: SmallHub, make_run: Any, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    done = run(make_run(model), "--to", to, "--out", out, "--push", "me/birds", "--yes")
    pushed = hub.models["me/birds"]
    assert pushed.pop(".gitattributes", b"") is not None
    assert pushed == {name: (out / name).read_bytes() for name in files_of(out)}
    card = pushed["README.md"].decode()
    assert yaml.safe_load(card.split("---")[1])["tags"]
    assert hub.tokens <= {"hf_secret", ""}
    told = " ".join(done.stderr.split())
    for name, size in files_of(out).items():
        assert f"{name} {size:,} bytes" in told
    assert (
        f"to upload: {len(files_of(out))} files, {sum(files_of(out).values()):,} bytes, to me/birds" in told
    )
    assert f"uploaded to {hub.url}/me/birds/commit/" in done.stdout
    assert hub.private == {"me/birds": False}


def test_it_asks_and_no_uploads_nothing(
    hub: SmallHub, make_run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "can_ask", lambda: True)
    arguments = (make_run("vit"), "--to", "open_clip", "--push", "me/birds", "--private")
    told = run(*arguments, "--out", tmp_path / "a", code=1, text="n\n").stderr
    assert "private if it is new" in told
    assert told.endswith(f"error: --push: nothing was uploaded; {tmp_path / 'a'} holds the export\n")
    assert hub.models == {}
    run(*arguments, "--out", tmp_path / "b", text="y\n")
    assert set(files_of(tmp_path / "b")) <= set(hub.models["me/birds"])
    assert hub.private == {"me/birds": True}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--push", "birds", "--yes"), "--push: 'birds' names no repository of the Hub; write OWNER/NAME"),
        (("--push", "birds"), "--push: 'birds' names no repository of the Hub; write OWNER/NAME"),
        (("--push", "me/birds"), "--push: nobody can be asked here; add --yes to upload without asking"),
        (("--yes",), "--yes goes with --push; add it, or leave --yes out"),
        (("--private",), "--private goes with --push; add it, or leave --private out"),
    ],
)
def test_what_cannot_be_uploaded_is_said_before_the_export(
    options: tuple[str, ...], told: str, hub: SmallHub, make_run: Any, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert (
        run(make_run("vit"), "--to", "open_clip", "--out", out, *options, code=1).stderr == f"error: {told}\n"
    )
    assert not out.exists()


def test_without_a_login_or_offline_nothing_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.get_token", lambda: None)
    with pytest.raises(EvenhandError, match=r"^push: nobody is logged in to the Hub; run `hf auth login`"):
        check_push("me/birds")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(EvenhandError, match=r"^push: HF_HUB_OFFLINE is set; unset it, or leave push out$"):
        check_push("me/birds")


def test_a_failed_upload_leaves_the_export_and_says_what_to_do(
    hub: SmallHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "README.md").write_text("card")
    with small_hub() as gone:
        url = gone.url
    turn_to(url, monkeypatch)
    with pytest.raises(EvenhandError) as failure:
        push(tmp_path, "me/birds")
    assert str(failure.value).startswith("push: me/birds: the Hub cannot be reached or refuses (")
    assert str(failure.value).endswith(f"or upload it later: hf upload me/birds {tmp_path}")
    assert (tmp_path / "README.md").read_text() == "card"


@pytest.mark.parametrize("status", [401, 403])
def test_a_login_that_may_not_is_refused_in_one_sentence(status: int, hub: SmallHub, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("card")
    hub.refuses = status
    with pytest.raises(EvenhandError) as failure:
        push(tmp_path, "me/birds")
    assert str(failure.value) == (
        f"push: me/birds: the Hub refuses this login (status {status}); log in with `hf auth login`, or set "
        f"HF_TOKEN to a token that may, and upload it later: hf upload me/birds {tmp_path}"
    )
    assert hub.models == {}
