"""Write the JSON Schema of results.json into the package, from the models; a test compares the two."""

from __future__ import annotations

import json
from pathlib import Path

from evenhand.evaluation.results import results_schema

FILE = Path(__file__).resolve().parents[1] / "src" / "evenhand" / "evaluation" / "results.schema.json"


def text() -> str:
    """Return the content of the file."""
    return json.dumps(results_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
