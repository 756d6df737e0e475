"""Arrow files, as `save_to_disk` of the Hugging Face datasets library writes them."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from evenhand.data.files import is_remote, open_bytes


def read_arrow(path: Path) -> pa.Table:
    """Return a file in Arrow's stream or file format; one of this machine is mapped into memory, not read.

    Raises
    ------
    OSError
        If it cannot be opened.
    pyarrow.ArrowException
        If it is not an Arrow file, or is cut.
    """
    source = open_bytes(path) if is_remote(path) else pa.memory_map(str(path))
    try:
        return pa.ipc.open_stream(source).read_all()
    except pa.ArrowInvalid:
        source.seek(0)
        return pa.ipc.open_file(source).read_all()
