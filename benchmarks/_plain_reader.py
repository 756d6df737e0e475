"""A folder of images to features as people write it: open_clip with a DataLoader, or clip-retrieval's way.

python _plain_reader.py MODEL FOLDER OUT open_clip|clip-retrieval
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset

BATCH, PROCESSES = 64, 2


class Files(Dataset[dict[str, Any]]):
    """The dataset of clip-retrieval's reader: every file below a folder, with its name."""

    def __init__(self, folder: Path, transform: Any) -> None:
        self.files = sorted(folder.rglob("*.jpg"))
        self.transform = transform

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, row: int) -> dict[str, Any]:
        with Image.open(self.files[row]) as image:
            return {"image_tensor": self.transform(image), "image_filename": str(self.files[row])}


def plain(folder: Path, transform: Any) -> DataLoader[Any]:
    """Return the loader of open_clip's examples: torchvision's folder of classes."""
    from torchvision.datasets import ImageFolder

    return DataLoader(ImageFolder(str(folder), transform), batch_size=BATCH, num_workers=PROCESSES)


def main() -> None:
    model_name, folder, out, manner = sys.argv[1:]
    model, _, transform = open_clip.create_model_and_transforms(model_name)
    model.eval()
    features, names = [], []
    with torch.inference_mode():
        if manner == "open_clip":
            for pixels, _ in plain(Path(folder), transform):
                features.append(model.encode_image(pixels))
        else:
            files = Files(Path(folder), transform)
            for item in DataLoader(files, BATCH, num_workers=PROCESSES, prefetch_factor=2):
                z = model.encode_image(item["image_tensor"])
                features.append(z / z.norm(dim=-1, keepdim=True))
                names += item["image_filename"]
    np.save(out, torch.cat(features).numpy().astype(np.float16))
    if names:
        import pyarrow as pa
        import pyarrow.parquet as pq

        pq.write_table(pa.table({"image_path": names}), f"{out}.parquet")


if __name__ == "__main__":
    main()
