"""What decoding JPEGs at a fraction of their size saves, and `embed` against scripts as people write them.

Whole processes take turns: `evenhand embed` with all that it does (thumbnails, copies, prompts, checksums, a
store that resumes), the same with `--decode reduced`, open_clip with torch's DataLoader, and the manner of
clip-retrieval's reader. The model is a small ViT with random weights: a large one would hide the reading.

    python benchmarks/reading.py --rounds 5 --out out/bench/reading.json
"""

from __future__ import annotations

import argparse
import itertools
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from _photos import write_photos
from _timing import Row, report, side_by_side
from open_clip.model import CLIP
from safetensors.torch import save_file

from evenhand.data.images.decode import decode

FOLDERS = {
    "12 megapixels": ((4000, 3000), 48),
    "0.3 megapixels": ((640, 480), 1024),
    "64 × 64": ((64, 64), 4096),
}
"""Size and number of the photographs."""
SHORT_SIDE = 448
"""Twice the 224 pixels of the model."""
CONFIG = {
    "embed_dim": 32,
    "vision_cfg": {"image_size": 224, "patch_size": 32, "width": 64, "head_width": 32, "layers": 2},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
}
MANNERS = ("open_clip", "clip-retrieval")


def write_model(folder: Path) -> str:
    """Write the small model, and return its name."""
    folder.mkdir()
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": CONFIG, "preprocess_cfg": {}}))
    torch.manual_seed(0)
    save_file(CLIP(**CONFIG).state_dict(), folder / "open_clip_model.safetensors")
    return f"local-dir:{folder}"


def rows_of(name: str, share: float, rounds: int) -> list[Row]:
    """Measure one folder."""
    size, count = FOLDERS[name]
    images = max(4, round(share * count))
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        model, photos = write_model(root / "model"), write_photos(root / "photos", size, images)
        first = next(photos.rglob("*.jpg"))
        numbers = itertools.count()

        def started(*arguments: str) -> None:
            out = str(root / f"{next(numbers)}.out")
            done = [out if argument == "OUT" else argument for argument in arguments]
            subprocess.run([sys.executable, *done], check=True, capture_output=True)

        command = ("-c", "from evenhand.cli import main; main()", "embed", str(photos), "--model", model)
        script = (str(Path(__file__).with_name("_plain_reader.py")), model, str(photos), "OUT")
        sides: dict[str, Callable[[], object]] = {
            "embed": partial(started, *command, "--out", "OUT"),
            "embed --decode reduced": partial(started, *command, "--decode", "reduced", "--out", "OUT"),
            **{manner: partial(started, *script, manner) for manner in MANNERS},
        }
        seconds = side_by_side(sides, rounds)
        decoding = side_by_side(
            {"full": lambda: decode(first), "reduced": lambda: decode(first, SHORT_SIDE)}, 5 * rounds
        )
    details = {"images": images, "pixels": size, "seconds": seconds.medians(), "decoding": decoding.medians()}
    rows = [
        Row(f"{name}: decoding, full / reduced", decoding.ratio("full", "reduced", "cpu"), details=details)
    ]
    for manner, own in itertools.product(MANNERS, ("embed", "embed --decode reduced")):
        for clock, label in (("wall", ""), ("cpu", ", processor time")):
            ratio = seconds.ratio(manner, own, clock)
            rows.append(Row(f"{name}: {manner} / {own}{label}", ratio, "> 1", ratio.median > 1, details))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=FOLDERS, default=list(FOLDERS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    rows = [row for name in given.only for row in rows_of(name, given.share, given.rounds)]
    report("Reading", rows, given.out)


if __name__ == "__main__":
    main()
