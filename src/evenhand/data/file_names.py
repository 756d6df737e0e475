"""What a file's name says of it: an image, a table, an archive, or something that a system left behind."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

# HEIC is not readable without a plug-in: listed here, it is reported as skipped rather than overlooked.
IMAGES = frozenset(
    {
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".webp", ".gif", ".bmp", ".dib", ".tif"),
        *(".tiff", ".ppm", ".pgm", ".pbm", ".pnm", ".jp2", ".j2k", ".jpx", ".avif", ".heic", ".heif"),
        *(".tga", ".ico", ".sgi", ".pcx", ".qoi", ".jxl", ".hif"),
    }
)
TABLES = (".csv", ".tsv", ".txt", ".parquet", ".jsonl")
WORKBOOKS = (".xlsx", ".xlsm")
NAMED_TABLES = (".json", ".ndjson", ".arrow", ".feather", *WORKBOOKS)
"""Tables that are read where somebody names one; in a folder such files are mostly something else."""
ARCHIVES = (".zip", ".tar")
"""Archives that are read in place."""
COMPRESSED = (".tgz", ".tbz2", ".txz", ".gz", ".bz2", ".xz", ".zst", ".7z", ".rar")
"""Archives that are not."""
SHEETS = (".xls", ".xlsb", ".ods", ".numbers")
"""Spreadsheets, which have to be saved as tables."""
_TEXT_TABLES = (".csv", ".tsv", ".txt", ".jsonl", ".json", ".ndjson")
_PACKED = (".gz", ".bz2", ".xz")
"""Compression that tables of text may have."""
IMAGE_TABLES = (".parquet", ".arrow")
"""Tables whose cells may hold the bytes of images."""
_FOREIGN = {
    r"\.tfrecords?(-\d+-of-\d+)?$": "TFRecord",
    r"\.mdb$": "LMDB",
    r"\.(h5|hdf5)$": "HDF5",
    r"\.beton$": "FFCV",
    r"\.rec$": "RecordIO",
    r"\.np[yz]$": "NumPy",
    r"\.(pkl|pickle)$|^(data_batch_\d|test_batch)$": "pickle",
    r"\.mat$": "MATLAB",
    r"idx[13]-ubyte(\.gz)?$": "MNIST's IDX",
    r"\.orc$": "ORC",
    r"\.avro$": "Avro",
}
"""Formats of images or tables that are not read, by the names of their files."""
_LITTER = {
    *("__macosx", "@eadir", "#recycle", "#snapshot", "@recycle", "@tmp", "@recently-snapshot"),
    *("$recycle.bin", "recycler", "system volume information", "lost+found", "lost.dir", "found.000"),
    *("thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "__pycache__"),
}


def suffix(name: str) -> str:
    """Return the last suffix of a path in lower case, with its dot."""
    return PurePosixPath(name).suffix.lower()


def table_suffix(name: str) -> str:
    """Return the suffix that tells a table's kind: of a compressed table of text, the one before the last.

    >>> table_suffix("rows.csv.gz"), table_suffix("photos.tar.gz")
    ('.csv', '.gz')
    """
    inner = suffix(PurePosixPath(name).stem)
    return inner if suffix(name) in _PACKED and inner in _TEXT_TABLES else suffix(name)


def has_image_name(name: str) -> bool:
    """Return whether a file has the suffix of an image."""
    return PurePosixPath(name).suffix.lower() in IMAGES


def has_table_name(name: str) -> bool:
    """Return whether a file has the suffix of a table. A plain text file such as a README is no table."""
    return table_suffix(name) in TABLES and table_suffix(name) != ".txt"


def foreign(name: str) -> str | None:
    """Return what a file holds, if images or a table in a format that is not read.

    >>> foreign("train.tfrecord-00000-of-00002"), foreign("a.png")
    ('TFRecord', None)
    """
    last = PurePosixPath(name).name.lower()
    return next((kind for pattern, kind in _FOREIGN.items() if re.search(pattern, last)), None)


def is_litter(name: str) -> bool:
    """Return whether a relative path leads through a hidden folder, or one that a system left behind.

    Dot names are hidden; `@eaDir` and `#recycle` are Synology's, `.@__thumb` and `@Recycle` QNAP's,
    `$RECYCLE.BIN` and `Thumbs.db` Windows', `__MACOSX` and `._x` macOS', `lost+found` a disk check's.

    >>> is_litter("cat/@eaDir/0.jpg/SYNOPHOTO_THUMB_M.jpg"), is_litter("cat/0.jpg")
    (True, False)
    """
    return any(
        part.startswith((".", "__MACOSX", "~$")) or part.lower() in _LITTER
        for part in name.split("/")
        if part
    )
