"""An S3 server on loopback: moto's, which checks signatures, behind a front that can be busy."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock, Thread
from typing import Any

import boto3
from moto import settings
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

BUSY = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
ALL_OF_S3 = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}


@dataclass
class SmallS3:
    """The server, and what was asked of it.

    Attributes
    ----------
    busy : dict of str to float
        How many requests for a path that has this in it are still to be told to slow down.
    asked : list of (str, bool)
        The path of each request, and whether it was signed.
    keys : dict of str to str
        Of a user who may do all, as the environment has them.
    """

    busy: dict[str, float] = field(default_factory=dict)
    asked: list[tuple[str, bool]] = field(default_factory=list)
    keys: dict[str, str] = field(default_factory=dict)
    url: str = ""
    _moto: Any = field(default_factory=lambda: DomainDispatcherApplication(create_backend_app))
    _lock: Any = field(default_factory=Lock)

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request."""
        path, signed = environ["PATH_INFO"], "HTTP_AUTHORIZATION" in environ
        with self._lock:
            self.asked.append((path, signed))
            for part, left in self.busy.items():
                if part in path and left > 0:
                    self.busy[part] -= 1
                    start("503 Slow Down", [("Content-Type", "application/xml")])
                    return [b"" if environ["REQUEST_METHOD"] == "HEAD" else BUSY]
            # Moto checks the signatures of all requests or of none; S3 lets what is public be read unsigned.
            settings.INITIAL_NO_AUTH_ACTION_COUNT = 0 if signed and self.keys else float("inf")
            return list(self._moto(environ, start))

    def client(self, service: str) -> Any:
        """Return a client of Amazon's own library."""
        keys = self.keys or {"AWS_ACCESS_KEY_ID": "first", "AWS_SECRET_ACCESS_KEY": "first"}
        named = {name.lower(): value for name, value in keys.items()}
        return boto3.client(service, endpoint_url=self.url, region_name="us-east-1", **named)

    def put(self, bucket: str, objects: dict[str, bytes], *, public: bool = True) -> None:
        """Make a bucket of objects, which anyone may read if they are public."""
        client = self.client("s3")
        client.create_bucket(Bucket=bucket)
        for key, content in objects.items():
            access = "public-read" if public else "private"
            client.put_object(Bucket=bucket, Key=key, Body=content, ACL=access)


class _Quiet(WSGIRequestHandler):
    def log(self, *_: Any, **__: Any) -> None:
        pass


@contextmanager
def small_s3() -> Iterator[SmallS3]:
    """Yield a running server, which lets one user in."""
    made = SmallS3()
    server = make_server("127.0.0.1", 0, made, threaded=True, request_handler=_Quiet)
    made.url = f"http://127.0.0.1:{server.server_port}"
    before = settings.INITIAL_NO_AUTH_ACTION_COUNT
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        users = made.client("iam")
        users.create_user(UserName="reader")
        users.put_user_policy(UserName="reader", PolicyName="s3", PolicyDocument=json.dumps(ALL_OF_S3))
        key = users.create_access_key(UserName="reader")["AccessKey"]
        made.keys = {
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
        }
        yield made
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        settings.INITIAL_NO_AUTH_ACTION_COUNT = before
