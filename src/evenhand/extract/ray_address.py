"""Whether a Ray cluster listens at an address, without importing Ray."""

from __future__ import annotations

import socket
from textwrap import shorten

from evenhand._errors import EvenhandError

PATIENCE = 10.0
"""Seconds for a cluster to answer."""


def check_address(address: str) -> None:
    """Refuse an address at which nothing listens, at once: Ray would try for minutes.

    Raises
    ------
    EvenhandError
        If it is neither `auto` nor the HOST:PORT of something that listens.
    """
    if address == "auto":
        return
    host, _, port = address.rpartition(":")
    if not (host and port.isdecimal()):
        raise no_cluster(address, ValueError("no HOST:PORT"))
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=PATIENCE).close()
    except (OSError, ValueError, OverflowError) as error:
        raise no_cluster(address, error) from error


def no_cluster(address: str | None, error: Exception) -> EvenhandError:
    """Return the error for a cluster that cannot be reached, or without an address cannot be started."""
    reason = shorten(str(error), 200, placeholder=" …")
    if address is None:
        return EvenhandError(f"Ray does not start on this machine ({reason}); leave out `engine='ray'`")
    return EvenhandError(
        f"address: {address}: there is no Ray cluster ({reason}); give the HOST:PORT of one that this "
        "machine has joined, or auto, or leave it out"
    )
