"""The wheel in a clean environment made from the lock: the demo runs, offline, and keeps its promises."""

import json
import os
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path

import jsonschema
import pytest
from tests.docs.test_pages import STAND_INS, blocks, commands

pytestmark = pytest.mark.install

ROOT = Path(__file__).resolve().parents[2]
UV = ROOT / ".uv" / "bin" / "uv"

# Read by every Python process of the environment, data-loader workers included.
OFFLINE = """
import socket

def refuse(self, address):
    raise OSError(f"this test allows no network, and something asked for {address}")

class Offline(socket.socket):
    def connect(self, address):
        return super().connect(address) if self.family == socket.AF_UNIX else refuse(self, address)

    def connect_ex(self, address):
        return super().connect_ex(address) if self.family == socket.AF_UNIX else refuse(self, address)

socket.socket = Offline
"""


def call(*command: object, **more: object) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False, **more
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    call(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=ROOT)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    venv = tmp_path_factory.mktemp("clean") / "venv"
    more = {"env": {"UV_CACHE_DIR": str(ROOT / ".uv" / "cache"), **os.environ}}
    call(UV, "venv", "--quiet", "--python", sys.executable, venv, **more)
    lock = ROOT / "requirements" / "core.txt"
    install = (UV, "pip", "install", "--quiet", "--python", venv)
    # The cache can lie on another disk than the temporary folder, where a copy of all takes a minute.
    links = ("--link-mode", "symlink")
    call(*install, *links, "--require-hashes", "--requirement", lock, **more)
    call(*install, "--no-deps", wheel, **more)
    return venv


@pytest.fixture(scope="module")
def demo(environment: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("elsewhere")
    (folder / "offline").mkdir()
    (folder / "offline" / "sitecustomize.py").write_text(OFFLINE)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    env = {**kept, "PYTHONPATH": str(folder / "offline"), "HOME": str(folder)}
    call(
        environment / "bin" / "evenhand", "demo", "--seeds", 1, "--out", folder / "demo", cwd=folder, env=env
    )
    return folder / "demo"


def test_the_readmes_commands_run_from_an_empty_folder(environment: Path, tmp_path: Path) -> None:
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    env = {**kept, "PATH": f"{environment / 'bin'}:{kept['PATH']}", "HOME": str(tmp_path)}
    folder = tmp_path / "an empty folder"
    folder.mkdir()
    draw = (
        "from pathlib import Path; from evenhand.datasets.scenes import write_scenes\n"
        "write_scenes(Path('photos'), seed=0, train=200, test=60)\n"
        "write_scenes(Path('new-photos'), seed=1, train=8, test=8)\n"
    )
    call(environment / "bin" / "python", "-c", draw, cwd=folder, env=env)
    # The `compare` of all methods takes minutes; tests/docs runs it with fewer.
    (block,) = [one for one in blocks(page) if one.kind == "shell" and "evenhand embed" in one.text]
    for text in commands(block.text):
        for written, stand_in in STAND_INS.items():
            text = text.replace(written, stand_in)
        done = call(*shlex.split(text), cwd=folder, env=env)
        assert done.stderr.splitlines()[-1].startswith("next: "), text
    made = {path.name for path in folder.iterdir()}
    assert made >= {
        "birds.store",
        "birds.run",
        "report.html",
        "report-files",
        "predictions.csv",
        "birds-clip",
    }


def test_the_wheel_holds_its_data_and_stays_small(wheel: Path) -> None:

    names = zipfile.ZipFile(wheel).namelist()
    for wanted in (
        "evenhand/py.typed",
        "evenhand/__init__.pyi",
        *(
            f"evenhand/reports/templates/{name}"
            for name in ("report.html.j2", "page.css", "page.js", "map.js")
        ),
        "evenhand/evaluation/results.schema.json",
    ):
        assert wanted in names
    assert any(name.endswith("/open_clip_model.safetensors") for name in names)
    assert wheel.stat().st_size < 12_000_000


def test_results_fit_the_shipped_schema(environment: Path, demo: Path) -> None:
    results = json.loads((demo / "results.json").read_text(encoding="utf-8"))
    (schema,) = environment.glob("lib/python*/site-packages/evenhand/evaluation/results.schema.json")
    jsonschema.validate(results, json.loads(schema.read_text(encoding="utf-8")))
    assert {"erm", "cfr"} <= {row["method"] for row in results["rows"]}


def test_the_reliance_is_real(demo: Path) -> None:
    rows = json.loads((demo / "results.json").read_text(encoding="utf-8"))["rows"]
    erm = [row for row in rows if row["method"] == "erm" and row["status"] == "ok"]
    assert len(erm) == 1
    for row in erm:
        assert row["worst_group"]["value"] < row["averages"]["plain"] - 0.05


def test_the_report_asks_no_other_host(demo: Path) -> None:
    page = (demo / "report.html").read_text(encoding="utf-8")
    assert "http://" not in page
    assert "https://" not in page


def test_a_plug_in_package_is_found_and_passes_the_checks(environment: Path, tmp_path: Path) -> None:
    plugin = ROOT / "examples" / "plugin"
    call(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path, cwd=plugin)
    (built,) = tmp_path.glob("*.whl")
    call(UV, "pip", "install", "--quiet", "--python", environment, "--no-deps", built)
    python = environment / "bin" / "python"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    code = (
        "import runpy, sys; tests = runpy.run_path(sys.argv[1])\n"
        "for name, test in tests.items():\n"
        "    if name.startswith('test_'): test(); print(name)"
    )
    done = call(python, "-c", code, plugin / "tests" / "test_nearest_mean.py", cwd=tmp_path, env=kept)
    assert done.stdout.split() == ["test_the_public_checks_pass", "test_the_nearest_mean_is_predicted"]
