"""A server of S3 for hostile objects: keys and contents as no real one would take them, refusals."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

BUCKET = "bucket"


@dataclass
class Stored:
    """size: what the store says of it, None for the truth; headers: of the answer"""

    data: bytes
    size: int | None = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Behaviour:
    """refuse: status for method and key, or 0; redirects: to itself, for ever"""

    refuse: Callable[[str, str], int] = lambda method, key: 0
    redirects: bool = False


class StoreServer:
    """objects: by key; the server answers until it is stopped."""

    def __init__(self, objects: dict[str, Stored], behaviour: Behaviour):
        self.objects, self.behaviour = objects, behaviour
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Answer", (_Answer,), {"store": self}))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def port(self) -> int:
        return self._server.server_address[1]

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Answer(BaseHTTPRequestHandler):
    store: StoreServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments) -> None:
        """Nothing."""

    def do_HEAD(self) -> None:
        self._answer()

    do_GET = do_PUT = do_DELETE = do_POST = do_HEAD

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        url = urlsplit(self.path)
        key, query = unquote(url.path).removeprefix(f"/{BUCKET}").removeprefix("/"), parse_qs(url.query)
        behaviour = self.store.behaviour
        if behaviour.redirects:
            self._send(307, b"", {"Location": f"http://127.0.0.1:{self.store.port}/{BUCKET}/set/next"})
        elif status := behaviour.refuse(self.command, key):
            self._error(status, "AccessDenied" if status == 403 else "InternalError")
        elif source := self.headers.get("x-amz-copy-source"):
            self.store.objects[key] = self.store.objects[unquote(source).removeprefix(f"{BUCKET}/")]
            self._send(200, b"<CopyObjectResult><ETag>0</ETag></CopyObjectResult>")
        elif self.command == "PUT":
            self.store.objects[key] = Stored(body)
            self._send(200, b"", {"ETag": '"x"'})
        elif self.command == "DELETE":
            self.store.objects.pop(key, None)
            self._send(204, b"")
        elif not key:
            self._send(200, self._listing(query), {"Content-Type": "application/xml"})
        else:
            self._send_object(key)

    def _send_object(self, key: str) -> None:
        stored = self.store.objects.get(key)
        if stored is None:
            self._error(404, "NoSuchKey")
            return
        headers = {"ETag": '"0"', **stored.headers}
        if self.command == "HEAD":
            size = len(stored.data) if stored.size is None else stored.size
            self._send(200, b"", {**headers, "Content-Length": str(size)})
            return
        first, last = 0, len(stored.data) - 1
        if wanted := self.headers.get("Range"):
            start, end = wanted.removeprefix("bytes=").split("-")
            first, last = int(start), min(int(end or last), last)
            if first > last:
                self._error(416, "InvalidRange")
                return
            headers["Content-Range"] = f"bytes {first}-{last}/{len(stored.data)}"
        self._send(206 if wanted else 200, stored.data[first : last + 1], headers)

    def _listing(self, query: dict[str, list[str]]) -> bytes:
        prefix, delimiter = query.get("prefix", [""])[0], query.get("delimiter", [""])[0]
        folders, files = set(), []
        for key, stored in sorted(self.store.objects.items()):
            rest = key.removeprefix(prefix)
            if key.startswith(prefix) and delimiter and delimiter in rest:
                folders.add(prefix + rest.partition(delimiter)[0] + delimiter)
            elif key.startswith(prefix):
                size = len(stored.data) if stored.size is None else stored.size
                files.append(
                    f"<Contents><Key>{_text(key)}</Key><LastModified>2026-01-01T00:00:00Z</LastModified>"
                    f"<ETag>&quot;0&quot;</ETag><Size>{size}</Size></Contents>"
                )
        names = "".join(
            f"<CommonPrefixes><Prefix>{_text(one)}</Prefix></CommonPrefixes>" for one in sorted(folders)
        )
        return f"<ListBucketResult><Name>{BUCKET}</Name>{''.join(files)}{names}</ListBucketResult>".encode()

    def _error(self, status: int, code: str) -> None:
        self._send(status, f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode())

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _text(key: str) -> str:
    """As `encoding-type=url` asks for."""
    from urllib.parse import quote

    return escape(quote(key, safe="/"))
