"""Names that people give to the columns of a table of images, in lower case."""

from __future__ import annotations

PATH_COLUMNS = (
    *("file_name", "filename", "file_path", "filepath", "path", "image_path", "img_path", "image", "img"),
    *("image_name", "img_name", "image_file", "img_filename", "image_filename", "file"),
)
"""Columns of image paths, the most likely first."""
ID_COLUMNS = ("image_id", "img_id", "image index", "imageid", "fname", "id_code", "isic_id", "name", "id")
"""Columns of ids, which are paths in some tables."""
BYTES_COLUMNS = (
    *("image", "images", "img", "picture", "photo", "image_bytes", "image_data", "bytes", "content"),
    *("jpg", "jpeg", "png", "webp"),
)
"""Columns that hold the images themselves, as bytes."""
SPLIT_COLUMNS = ("split", "partition", "set", "subset", "fold", "usage", "phase", "mode")
"""Columns that say which split a row is in."""
