"""`embed` and `predict` against a bare forward loop over decoded images, and half precision on a CPU.

The bare loop is the most that extraction could reach: the same weights as open_clip lays them out, over
pixels that lie in memory. `embed` reads and decodes files, makes thumbnails, embeds prompts and writes;
`predict` lists a folder, reads and decodes, and writes a CSV. The model is loaded in all three.

    python benchmarks/extraction.py --images 512 --rounds 5 --out out/bench/extraction.json
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
from pathlib import Path
from unittest.mock import patch

import torch
from _models import decoded, random_backbone, random_clip, scenes
from _timing import Row, Spread, report, side_by_side
from torch.nn.functional import cosine_similarity

from evenhand import embed, fit, load_tiny, predict
from evenhand.backbones import class_prompts

MODELS = ("ViT-B-32", "RN50")
BATCH = 64
GOAL = 0.95


def extraction_rows(name: str, images: int, rounds: int) -> list[Row]:
    backbone, bare = random_backbone(name), random_clip(name)
    with tempfile.TemporaryDirectory() as folder:
        manifest = scenes(Path(folder) / "photos", images)
        batches = decoded(manifest, backbone, BATCH)
        stores = (Path(folder) / f"{number}.store" for number in itertools.count())

        @torch.inference_mode()
        def loop() -> None:
            for pixels in batches:
                bare.encode_image(pixels)

        run, csv = Path(folder) / "fit.run", Path(folder) / "p.csv"
        fit(embed(manifest, backbone, next(stores), batch_size=BATCH), method="zero_shot", out=run)
        sides = {
            "bare": loop,
            "embed": lambda: embed(manifest, backbone, next(stores), batch_size=BATCH),
            "predict": lambda: predict(run, Path(folder) / "photos", out=csv),
        }
        # The run names random weights, which no name loads.
        with patch("evenhand.runs.predict.run_backbone", return_value=backbone):
            seconds = side_by_side(sides, rounds)
    details = {"images": images, "batch_size": BATCH, "seconds": seconds.medians()}
    rows = []
    for side in ("embed", "predict"):
        wall, cpu = seconds.ratio("bare", side), seconds.ratio("bare", side, "cpu")
        rows += [
            Row(f"{name}: rate of {side} / bare loop", wall, f"≥ {GOAL}", wall.median >= GOAL, details),
            Row(f"{name}: the same by processor time", cpu, details=details),
        ]
    return rows


def precision_row(name: str, images: int, rounds: int) -> Row:
    exact, half = random_backbone(name), random_backbone(name, "bf16")
    with tempfile.TemporaryDirectory() as folder:
        pixels = torch.cat(decoded(scenes(Path(folder), images), exact, BATCH))
    seconds = side_by_side({"fp32": lambda: exact.trunk(pixels), "bf16": lambda: half.trunk(pixels)}, rounds)
    cosines = cosine_similarity(exact.trunk(pixels), half.trunk(pixels))
    details = {"images": images, "seconds": seconds.medians(), "smallest_cosine": float(cosines.min())}
    ratio = seconds.ratio("fp32", "bf16", "cpu")
    return Row(f"{name}: rate of bf16 / fp32, processor time", ratio, details=details)


def prediction_row(images: int) -> Row:
    """Count the zero-shot predictions of the embedded model, which is trained, that bf16 changes."""
    exact, half = load_tiny(), load_tiny(precision="bf16")
    with tempfile.TemporaryDirectory() as folder:
        manifest = scenes(Path(folder), images)
        pixels = torch.cat(decoded(manifest, exact, BATCH))
    head = exact.head(manifest.classes, class_prompts(manifest.classes))
    weight, text = torch.from_numpy(head.weight), torch.from_numpy(head.text)
    answers = [(b.trunk(pixels) @ weight @ text.T).argmax(dim=1) for b in (exact, half)]
    changed = float((answers[0] != answers[1]).float().mean())
    return Row(
        "embedded model: share of predictions that bf16 changes",
        Spread.of([changed]),
        details={"images": images},
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", nargs="+", choices=MODELS, default=MODELS)
    parser.add_argument("--images", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    rows = [row for name in given.models for row in extraction_rows(name, given.images, given.rounds)]
    rows += [precision_row(name, BATCH, given.rounds) for name in given.models]
    rows.append(prediction_row(4 * given.images))
    report("Extraction", rows, given.out)


if __name__ == "__main__":
    main()
