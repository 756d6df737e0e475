"""Every command of the tutorial, the how-to pages and the README runs, on what the tutorial makes.

In a page a block under `<!-- not run: WHY -->` is not run, and one under `<!-- file: NAME -->` is the content
of that file. Every other indented block is shell, and every fence of Python or a shell is run. How-to pages
and the README start from the tutorial's folder: `photos/`, `birds.store`, `birds.run`, `new-photos/`. Beside
them lies what a user would have: pictures as `photos.tar`, `shards/` and `data/` (Parquet), and `vit.run`.
"""

from __future__ import annotations

import io
import json
import re
import shlex
import shutil
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.small_open_clip import write_open_clip
from typer.testing import CliRunner

from evenhand import Manifest, embed, fit
from evenhand.backbones.load import load_backbone
from evenhand.cli.app import app

ROOT = Path(__file__).resolve().parents[2]
TUTORIAL = "docs/tutorial/folder.md"
PAGES = sorted(
    str(path.relative_to(ROOT))
    for path in [ROOT / "README.md", *ROOT.glob("docs/tutorial/*.md"), *ROOT.glob("docs/how-to/*.md")]
)
STAND_INS = {
    "--model ViT-L-14-336 --pretrained openai": "--model tiny",
    "--model ViT-L-14 --pretrained openai": "--model tiny",
    "--model RN50 --pretrained openai": "--model tiny",
    "export birds.run --to transformers": "export vit.run --to transformers",
    "compare birds.store --out birds.compare": (
        "compare birds.store --methods erm,linear_probe --seeds 2 --budget 1 --out birds.compare"
    ),
    "--methods auto,cfr,cfr:nearest,cfr:published-code": "--methods erm,cfr:nearest --budget 1",
    "evenhand compare": "evenhand compare --jobs 1",
}
"""What stands in for weights to download, a run on a ViT, minutes of fits, and processes that start anew."""
NOT_RUN = {
    "README.md": [
        "installs first; the demo has tests of its own",
        "installs",
        "Bring your embeddings runs it, on numbers that it makes",
    ],
    "docs/tutorial/demo.md": ["installs first; the demo has tests of its own"],
    "docs/how-to/backbones.md": ["needs weights that are no part of the project", "options alone"],
    "docs/how-to/benchmarks.md": [
        "takes minutes, and needs the benchmark's files and weights",
        "the benchmarks' files",
        "the benchmarks' files",
        "downloads",
        "takes an hour, and features that are no part of the project",
    ],
    "docs/how-to/compare.md": ["fits every method five times", "fits every method five times"],
    "docs/how-to/export.md": ["uploads", "installs", "installs"],
    "docs/how-to/images.md": [
        *(["a listing"] * 4),
        "the shards of the example have other names",
        "reads from the Hub",
    ],
    "docs/how-to/review.md": ["waits for answers", "reads answers", "reads answers"],
    "docs/how-to/ray.md": ["installs", "starts a cluster", "needs several machines"],
}
"""Why blocks of a page are not run, in order: a new mark is a line here, too."""

MARK = re.compile(r"<!-- (?P<kind>not run|file): (?P<text>.*) -->")
FENCE = re.compile(r"```(?P<language>\w*)")
SHELL = {"sh", "bash", "shell", "console"}


@dataclass(frozen=True)
class Block:
    """A block: its first line in the page, its kind (`shell`, `python`, `file`, `not run`), and its text.

    `note` is the name of a file, or why the block is not run.
    """

    line: int
    kind: str
    text: str
    note: str = ""


def blocks(page: str) -> list[Block]:
    """Return the blocks of a page in order."""
    lines = page.splitlines()
    found: list[Block] = []
    mark: re.Match[str] | None = None
    k = 0
    while k < len(lines):
        start = k
        if seen := MARK.fullmatch(lines[k].strip()):
            mark = seen
            k += 1
            continue
        if fence := FENCE.match(lines[k]):
            end = lines.index("```", k + 1)
            kind = kind_of(fence["language"])
            body, k = lines[start + 1 : end], end + 1
        elif lines[k].startswith("    ") and (not k or not lines[k - 1].strip()):
            while k < len(lines) and (lines[k].startswith("    ") or not lines[k].strip()):
                k += 1
            kind, body = "shell", [line[4:] for line in lines[start:k]]
        else:
            k += 1
            if lines[start].strip():
                mark = None
            continue
        text = "\n".join(body).rstrip() + "\n"
        if mark is not None:
            found.append(Block(start + 1, mark["kind"], text, mark["text"]))
        elif kind:
            found.append(Block(start + 1, kind, text))
        mark = None
    return found


def kind_of(language: str) -> str:
    """Return what a fence's language is run as, empty for what only illustrates."""
    return "python" if language == "python" else "shell" if language in SHELL else ""


def commands(shell: str) -> list[str]:
    """Return the commands of a shell block, continued lines joined and comments left out."""
    joined = re.sub(r"\s*\\\n\s*", " ", shell)
    return [text for line in joined.splitlines() if (text := line.split("  #")[0].strip())]


def run(page: str) -> None:
    """Run a page's blocks in the present folder."""
    for block in blocks((ROOT / page).read_text(encoding="utf-8")):
        place = f"{page}:{block.line}"
        if block.kind == "file":
            Path(block.note).write_text(block.text, encoding="utf-8")
        elif block.kind == "python":
            # A module of its own, so that classes can be found again, as in a user's file.
            sys.modules["page"] = module = ModuleType("page")
            exec(compile(block.text, place, "exec"), vars(module))
        elif block.kind == "shell":
            for text in commands(block.text):
                command(text, place)


def command(text: str, place: str) -> None:
    """Run one command of evenhand in this process."""
    for written, stand_in in STAND_INS.items():
        text = text.replace(written, stand_in)
    name, *arguments = shlex.split(text)
    assert name == "evenhand", f"{place}: `{text}` is not a command of evenhand; mark its block as not run"
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, f"{place}: {text}\n{done.stdout}\n{done.stderr}\n{done.exception!r}"


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that the tutorial leaves behind."""
    folder = tmp_path_factory.mktemp("tutorial")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        run(TUTORIAL)
        pictures = Manifest.read(Path("new-photos"))
        with tarfile.open("photos.tar", "w") as archive:
            archive.add("new-photos")
        write_shard(pictures, Path("shards/train-000000.tar"))
        write_parquet(pictures, Path("data/train-00000-of-00001.parquet"))
        model = load_backbone(f"local-dir:{write_open_clip('vit', Path('vit'))}")
        fit(embed(pictures, model, Path("vit.store"), workers=0), method="erm", out=Path("vit.run"))
    return folder


def write_shard(pictures: Manifest, path: Path) -> None:
    """Write a tar as WebDataset has them, with labels in `.json` members."""
    path.parent.mkdir()
    with tarfile.open(path, "w") as shard:
        for row, (picture, code) in enumerate(zip(pictures.paths, pictures.y, strict=True)):
            shard.add(picture, f"{row:04d}.jpg")
            told = json.dumps({"label": pictures.classes[code]}).encode()
            member = tarfile.TarInfo(f"{row:04d}.json")
            member.size = len(told)
            shard.addfile(member, io.BytesIO(told))


def write_parquet(pictures: Manifest, path: Path) -> None:
    """Write pictures into a Parquet file, as the Hugging Face Hub has them."""
    path.parent.mkdir()
    images = [{"bytes": Path(picture).read_bytes(), "path": picture} for picture in pictures.paths]
    labels = [pictures.classes[code] for code in pictures.y]
    pq.write_table(pa.table({"image": images, "label": labels}), path)


@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_a_page_runs(
    page: str, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if page == TUTORIAL:
        return  # `made` has run it
    monkeypatch.chdir(shutil.copytree(made, tmp_path / "here"))
    run(page)


@pytest.mark.parametrize("page", PAGES)
def test_what_is_not_run_is_named(page: str) -> None:
    found = blocks((ROOT / page).read_text(encoding="utf-8"))
    assert [block.note for block in found if block.kind == "not run"] == NOT_RUN.get(page, [])


def test_the_glossary_is_short_and_in_order_and_the_readme_leads_to_it() -> None:
    page = (ROOT / "docs/reference/glossary.md").read_text(encoding="utf-8")
    terms = [line.split("|")[1].strip() for line in page.splitlines() if line.startswith("| ")][1:]
    assert terms == sorted(terms, key=str.lower)
    assert len(page.splitlines()) < 60
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "(docs/reference/glossary.md)" in readme
    assert {"store", "run", "ERM", "CFR"} <= set(terms)


PAGE = """\
Text.

<!-- not run: needs a printer -->

    print this

- a list
    that goes on

    evenhand a --b \\
        c
    evenhand d  # why

<!-- file: x.yaml -->
```yaml
a: 1
```

```toml
b = 2
```

```python
pass
```
"""


def test_blocks_are_told_apart() -> None:
    found = blocks(PAGE)
    assert [(block.kind, block.note) for block in found] == [
        ("not run", "needs a printer"),
        ("shell", ""),
        ("file", "x.yaml"),
        ("python", ""),
    ]
    assert commands(found[1].text) == ["evenhand a --b c", "evenhand d"]
    assert found[2].text == "a: 1\n"
    assert PAGE.splitlines()[found[3].line - 1] == "```python"


def test_a_command_that_fails_or_is_another_programs_is_told_with_its_place() -> None:
    with pytest.raises(AssertionError, match=r"x\.md:3: evenhand audit nowhere"):
        command("evenhand audit nowhere", "x.md:3")
    with pytest.raises(AssertionError, match=r"x\.md:4: `rm x` is not a command of evenhand"):
        command("rm x", "x.md:4")
