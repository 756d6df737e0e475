import importlib.util
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_the_reference_page_is_what_the_commands_say() -> None:
    spec = importlib.util.spec_from_file_location("cli_reference", ROOT / "scripts" / "cli_reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    written = module.PAGE.read_text(encoding="utf-8")
    assert written == module.reference(), "run: .venv/bin/python scripts/cli_reference.py"
