"""Files and folders that systems leave behind, which are nobody's images."""

from __future__ import annotations

_LITTER = {
    *("__macosx", "@eadir", "#recycle", "#snapshot", "@recycle", "@tmp", "@recently-snapshot"),
    *("$recycle.bin", "recycler", "system volume information", "lost+found", "lost.dir", "found.000"),
    *("thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r", "__pycache__"),
}


def is_litter(name: str) -> bool:
    """Tell whether a relative path leads through something hidden, or left by a system or a disk station.

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
