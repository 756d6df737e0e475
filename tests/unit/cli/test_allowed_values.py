"""Every option that takes one of several words refuses another one in the same sentence, without torch."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Literal, get_args, get_origin, get_type_hints

import numpy as np
from PIL import Image
from typer.main import get_command

import evenhand
from evenhand.cli.app import app

COMMANDS = get_command(app).commands  # type: ignore[attr-defined]
LINES = {
    "audit": "audit a.store",
    "bench": "bench scenes --out new",
    "compare": "compare a.store",
    "embed": "embed photos --model tiny --out new",
    "export": "export a.run --to onnx --out new",
    "fit": "fit a.store --out new",
    "predict": "predict a.run photos --out new.csv",
    "report": "report a.run --out new.html",
    "review": "review a.store",
}
"""A correct line of each command that has such an option."""
WORDS = {
    *("activation", "decode", "device", "dtype", "engine", "fail_under", "method", "methods", "metric"),
    *("name", "param", "precision", "selection", "site", "templates", "to", "use", "validation_from"),
}
"""Parameters that take one of several words."""
FREE = {
    *("address", "attribute", "attribute_columns", "class_names", "group_by", "id_column", "label_column"),
    *("layout", "model", "path_column", "preprocess", "pretrained", "push", "question", "split_by"),
    *("split_column", "write"),
}
"""Parameters that take other texts."""
WRONG = {
    ("audit", "fail_under"): "audit a.store --fail-under z=1",
    ("bench", "name"): "bench z",
    ("bench", "param"): "bench chexpert --data photos --model tiny --param uncertain=z",
    ("fit", "param"): "fit a.store --method cfr --param preset=z --out new",
}
"""Lines where the wrong word `z` does not stand alone behind its option."""
ONE_BY_ONE = r"""
import json, sys
from typer.testing import CliRunner
from evenhand.cli.app import app
for line in json.loads(sys.argv[1]):
    done = CliRunner().invoke(app, line.split())
    print(json.dumps([line, done.exit_code, done.stderr, "torch" in sys.modules]))
"""


def text_parameters() -> set[tuple[str, str]]:
    """Return command and name of every parameter that takes a text."""
    return {
        (command, name)
        for command, found in COMMANDS.items()
        for name, hint in get_type_hints(found.callback).items()
        if any(kind in (str, list[str]) or get_origin(kind) is Literal for kind in (hint, *get_args(hint)))
    }


def test_every_option_with_a_text_takes_words_or_any_text() -> None:
    assert {name for _, name in text_parameters()} == WORDS | FREE


def test_every_other_word_is_refused_in_one_sentence(tmp_path: Path) -> None:
    for name in ("cat/0", "cat/1", "dog/0", "dog/1"):
        (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8)).save(tmp_path / f"photos/{name}.png")
    np.save(tmp_path / "X.npy", np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32))
    (tmp_path / "y.csv").write_text("label\n" + "a\nb\n" * 20)
    store = tmp_path / "a.store"
    evenhand.import_embeddings([tmp_path / "X.npy"], tmp_path / "y.csv", label_column="label", out=store)
    evenhand.fit(evenhand.load_store(store), method="zero_shot", out=tmp_path / "a.run")
    lines = [
        WRONG.get((command, name), f"{LINES[command]} --{name.replace('_', '-')} z")
        for command, name in sorted(text_parameters())
        if name in WORDS
    ]
    done = subprocess.run(
        [sys.executable, "-c", ONE_BY_ONE, json.dumps(lines)],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    wrong = [
        answer
        for answer in answers
        if answer[1] != 2
        or answer[3]
        or not re.fullmatch(r"error: \S+ (\w+: )?'z' is unknown; the allowed values are \S+, .*\n", answer[2])
    ]
    assert len(answers) == len(lines)
    assert not wrong
