"""Exports that the Hub's real client uploads to a server on loopback."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from huggingface_hub import constants
from tests.small_hub import LARGE, SmallHub, small_hub, turn_to
from typer.testing import CliRunner

from evenhand import EvenhandError
from evenhand.cli import export as command
from evenhand.cli.app import app
from evenhand.exports.push import check_login, check_push, files_of, push


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallHub]:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    monkeypatch.setattr("time.sleep", lambda _: None)  # the client's, before it tries again
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
    assert told.endswith(f"error: --push: nothing was uploaded; the export is in {tmp_path / 'a'}\n")
    assert hub.models == {}
    run(*arguments, "--out", tmp_path / "b", text="y\n")
    assert set(files_of(tmp_path / "b")) <= set(hub.models["me/birds"])
    assert hub.private == {"me/birds": True}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (
            ("--push", "birds", "--yes"),
            "--push: 'birds' is not the name of a Hub repository; write OWNER/NAME",
        ),
        (("--push", "birds"), "--push: 'birds' is not the name of a Hub repository; write OWNER/NAME"),
        (
            ("--push", "me/birds"),
            "--push: this is not a terminal, so nobody can confirm; add --yes to upload without asking",
        ),
        (("--yes",), "--yes needs --push; add it, or leave --yes out"),
        (("--private",), "--private needs --push; add it, or leave --private out"),
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
        f"push: me/birds: the Hub refuses this login (status {status}); log in with `hf auth login`, set "
        f"HF_TOKEN to a token that may, or upload it later: hf upload me/birds {tmp_path}"
    )
    assert hub.models == {}


def token(role: str) -> dict[str, Any]:
    return {"name": "me", "orgs": [{"name": "clinic"}], "auth": {"accessToken": {"role": role}}}


@pytest.mark.parametrize(
    ("fails", "user", "told"),
    [
        (
            {"whoami": 401},
            None,
            "the Hub refuses this login (status 401); log in with `hf auth login`, set HF_TOKEN to a token "
            "that may, or leave push out\n",
        ),
        ({"whoami": 503}, None, "the Hub cannot be reached or refuses ("),
        (
            {},
            token("read"),
            "the token of me may only read; log in with one that may write (`hf auth login`), or leave push "
            "out\n",
        ),
        (
            {},
            token("write"),
            "the token may write for me, clinic alone; choose one of these as OWNER, or log in as another "
            "user with `hf auth login`\n",
        ),
    ],
    ids=["wrong", "unwell", "reading", "others"],
)
def test_a_login_that_will_not_do_is_found_before_the_export(
    fails: dict[str, int], user: Any, told: str, hub: SmallHub, make_run: Any, tmp_path: Path
) -> None:
    hub.fails, hub.user, out = fails, user, tmp_path / "out"
    done = run(make_run("vit"), "--to", "open_clip", "--out", out, "--push", "you/birds", "--yes", code=1)
    assert done.stderr.startswith(f"error: --push: you/birds: {told}")
    assert done.stderr.count("\n") == 1
    assert not out.exists()
    assert not [one for one in hub.asked if one.startswith("POST")]


@pytest.mark.parametrize(
    ("fails", "user"),
    [
        ({}, None),  # a mirror without users
        ({"whoami": 429}, None),
        ({}, token("fineGrained")),  # which does not name all that it may
        ({}, token("write") | {"orgs": [{"name": "you"}]}),
    ],
    ids=["none", "asked-too-often", "fine-grained", "of-an-organization"],
)
def test_a_login_that_may_do_goes_on(fails: dict[str, int], user: Any, hub: SmallHub) -> None:
    hub.fails, hub.user = fails, user
    check_login("you/birds")


@pytest.mark.parametrize(
    ("cut", "fails", "reason"),
    [
        (100, {}, "the Hub cannot be reached or refuses ("),
        (None, {"/blob/": 403}, "the Hub refuses this login (status 403);"),
        (None, {"/commit/": 500}, "the Hub cannot be reached or refuses ("),
    ],
    ids=["cut", "refused", "commit"],
)
def test_a_broken_upload_loses_nothing_and_the_next_one_ends(
    cut: int | None, fails: dict[str, int], reason: str, hub: SmallHub, tmp_path: Path
) -> None:
    content = {"README.md": b"card", "weights.bin": bytes(range(256)) * 20}
    for name, value in content.items():
        (tmp_path / name).write_bytes(value)
    hub.cut, hub.fails = cut, fails
    with pytest.raises(EvenhandError) as failure:
        push(tmp_path, "me/birds")
    told = str(failure.value)
    assert told.startswith(f"push: me/birds: {reason}")
    assert told.endswith(f", or upload it later: hf upload me/birds {tmp_path}")
    assert not [one for one in ("\n", "Error while uploading", "For more information") if one in told]
    assert {name: (tmp_path / name).read_bytes() for name in files_of(tmp_path)} == content
    assert hub.models == {"me/birds": {}}
    hub.cut, hub.fails = None, {}
    push(tmp_path, "me/birds")
    assert {name: hub.models["me/birds"][name] for name in content} == content


def test_an_interrupted_upload_says_how_to_go_on(
    hub: SmallHub, make_run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("huggingface_hub.HfApi.upload_folder", interrupted)
    out = tmp_path / "out"
    done = run(make_run("vit"), "--to", "open_clip", "--out", out, "--push", "me/birds", "--yes", code=130)
    assert f"if the upload breaks off: hf upload me/birds {out}\n" in done.stderr
    assert set(files_of(out)) == {"README.md", "open_clip_config.json", "open_clip_model.safetensors"}


@pytest.mark.parametrize("disabled", [False, True])
def test_a_server_without_xet_storage_gets_large_files_by_lfs(
    disabled: bool, hub: SmallHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", disabled)
    (tmp_path / "weights.bin").write_bytes(b"1" * LARGE)
    push(tmp_path, "me/birds")
    assert hub.models["me/birds"]["weights.bin"] == b"1" * LARGE
    asked = [one for one in hub.asked if "xet-write-token" in one]
    assert asked == ([] if disabled else ["GET /api/models/me/birds/xet-write-token/main"])
    assert constants.HF_HUB_DISABLE_XET is disabled


def test_a_server_with_xet_storage_is_left_to_the_client(
    hub: SmallHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []

    def upload(*_: object, **__: object) -> SimpleNamespace:
        seen.append(constants.HF_HUB_DISABLE_XET)
        return SimpleNamespace(commit_url="done")

    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", False)
    monkeypatch.setattr("huggingface_hub.HfApi.upload_folder", upload)
    hub.xet = f"{hub.url}/cas"
    assert push(tmp_path, "me/birds") == "done"
    assert seen == [False]
