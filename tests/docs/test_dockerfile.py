"""The Dockerfile, which is not built here: what it names is there, pinned, and runs without root."""

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if sys.version_info >= (3, 11):
    import tomllib


def instructions() -> list[tuple[str, str]]:
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    told = [line.split(maxsplit=1) for line in lines if line.strip() and not line.startswith("#")]
    return [(word, rest) for word, rest in told]


def test_every_line_is_an_instruction_and_bases_are_pinned() -> None:
    words = [word for word, _ in instructions()]
    assert set(words) <= {"FROM", "WORKDIR", "COPY", "RUN", "USER", "ENTRYPOINT", "CMD"}
    bases = [rest.split()[0] for word, rest in instructions() if word == "FROM"]
    assert len(bases) == 2
    for base in bases:
        assert re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+", base)


def test_what_is_copied_is_there_and_sent_to_docker() -> None:
    sent = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    for word, rest in instructions():
        if word == "COPY" and not rest.startswith("--from"):
            for name in rest.split()[:-1]:
                assert (ROOT / name).exists(), name
                assert f"!{name.split('/')[0]}" in sent


def test_packages_come_by_hash_and_the_program_runs_as_a_user() -> None:
    found = instructions()
    installs = [rest for word, rest in found if word == "RUN" and "pip install" in rest]
    assert all("--require-hashes" in rest or "--no-deps" in rest for rest in installs)
    assert found.index(("USER", "1000")) > max(k for k, (word, _) in enumerate(found) if word == "RUN")
    (entry,) = [json.loads(rest) for word, rest in found if word == "ENTRYPOINT"]
    if sys.version_info >= (3, 11):
        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        assert entry == list(project["scripts"])
    assert all(isinstance(json.loads(rest), list) for word, rest in found if word == "CMD")
