"""Whether a Ray cluster listens at an address, without importing Ray."""

from __future__ import annotations

import os
import socket
from textwrap import shorten

from evenhand._errors import EvenhandError

PATIENCE = 10.0
"""Seconds for a cluster to answer."""
_HELLO = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"
"""How a connection of HTTP/2, and with it gRPC, begins: the preface and empty settings (RFC 9113, 3.4)."""
_SETTINGS = 4


def check_address(address: str) -> None:
    """Refuse an address at which nothing listens, or what speaks no gRPC: Ray would try for minutes.

    Raises
    ------
    EvenhandError
        If it is neither `auto` nor the HOST:PORT of something that may be a cluster.
    """
    if address == "auto":
        return
    host, _, port = address.rpartition(":")
    if not (host and port.isdecimal()):
        raise no_cluster(address, ValueError("no HOST:PORT"))
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=PATIENCE) as connection:
            answers = _encrypted() or _speaks_grpc(connection)
    except (OSError, ValueError, OverflowError) as error:
        raise no_cluster(address, error) from error
    if not answers:
        raise no_cluster(address, ValueError("something else listens there"))


def _encrypted() -> bool:
    return os.environ.get("RAY_USE_TLS", "0").lower() not in ("", "0", "false")


def _speaks_grpc(connection: socket.socket) -> bool:
    """Return whether the other side answers with the settings that every server of HTTP/2 sends first."""
    connection.sendall(_HELLO)
    with connection.makefile("rb") as answer:
        head = answer.read(_SETTINGS)
    return len(head) == _SETTINGS and head[-1] == _SETTINGS


def no_cluster(address: str | None, error: Exception) -> EvenhandError:
    """Return the error for a cluster that cannot be reached, or without an address cannot be started."""
    reason = shorten(str(error), 200, placeholder=" …")
    if address is None:
        return EvenhandError(f"Ray does not start on this machine ({reason}); leave out `engine='ray'`")
    return EvenhandError(
        f"address: {address}: there is no Ray cluster ({reason}); give the HOST:PORT of one that this "
        "machine has joined, or auto, or leave it out"
    )
