"""A gate in front of an object store: it lets requests pass up to a moment, and nothing after it.

In: the address of a server of HTTP, and a moment. Out: the address of the gate. What has passed is answered
by the server; what is held when its sender is killed never arrives.
"""

from __future__ import annotations

import re
import socket
import threading
import time
from dataclasses import dataclass, field

BEFORE, INSIDE, AFTER = "before", "inside", "after"
_REQUEST = re.compile(rb"(GET|HEAD|PUT|POST|DELETE) (\S+) HTTP/1\.1\r\n")
_BODY, _CONTINUE = b"\r\n\r\n", b"HTTP/1.1 100"
_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Moment:
    """place: before a request, inside of what is sent with it, or after it, whose answer is held then

    request: pattern of method and path; number: of the requests that match, the first is 1
    body_bytes: inside of a request, at least so many bytes of its body pass before
    """

    place: str
    request: str
    number: int = 1
    body_bytes: int = 0

    def __str__(self) -> str:
        return f"{self.place} {self.request} {self.number}"


@dataclass
class Gate:
    """A context manager; closed: whether nothing passes any more."""

    server: tuple[str, int]
    moment: Moment | None = None
    closed: bool = False
    _count: int = 0
    _reached: threading.Event = field(default_factory=threading.Event)
    _opened: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _threads: list[threading.Thread] = field(default_factory=list)
    _clients: set[tuple[str, int]] = field(default_factory=set)

    def __enter__(self) -> Gate:
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *exception) -> None:
        self.closed = False
        self._opened.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    @property
    def url(self) -> str:
        return "http://{}:{}".format(*self._listener.getsockname())

    def hold_at(self, moment: Moment) -> None:
        self.moment, self._count = moment, 0
        self._reached.clear()
        self._opened.clear()
        self._threads.clear()  # others may keep their connections
        self._clients.clear()

    def wait(self) -> None:
        """Until the moment is reached."""
        assert self._reached.wait(_TIMEOUT_S), f"no request came {self.moment}"

    def open(self) -> None:
        """Let everything pass, once the server has answered all that came before from what is killed."""
        with socket.create_connection(self._listener.getsockname()) as last:
            while last.getsockname() not in self._clients:
                time.sleep(0.01)
        self._opened.set()
        for thread in self._threads:
            thread.join(_TIMEOUT_S)
            assert not thread.is_alive()
        self.moment, self.closed = None, False

    def _accept(self) -> None:
        while True:
            try:
                client, address = self._listener.accept()
            except OSError:
                return
            connection = _Connection(self, client, socket.create_connection(self.server))
            for target in (connection.to_server, connection.to_client):
                thread = threading.Thread(target=target, daemon=True)
                thread.start()
                self._threads.append(thread)
            self._clients.add(address)

    def place_in(self, request: bytes) -> str:
        """Where the moment is in a request, "" if it is in another one."""
        if self.moment is None or not re.search(self.moment.request, request.decode("latin-1")):
            return ""
        self._count += 1
        return self.moment.place if self._count == self.moment.number else ""

    def close(self) -> None:
        self.closed = True
        self._reached.set()

    def wait_until_opened(self) -> None:
        assert self._opened.wait(2 * _TIMEOUT_S)


@dataclass
class _Connection:
    """place: of the moment, if it is in the request that is sent; passed: bytes of its body"""

    gate: Gate
    client: socket.socket
    server: socket.socket
    place: str = ""
    passed: int = 0

    def to_server(self) -> None:
        while data := _received(self.client):
            with self.gate._lock:
                passing = b"" if self.gate.closed else self._passing(data)
            if passing:
                self.server.sendall(passing)
            if len(passing) < len(data):
                self.gate.wait_until_opened()
                break
        _end(self.server, socket.SHUT_WR)

    def _passing(self, data: bytes) -> bytes:
        """What of the data passes; closes the gate at the moment."""
        request = _REQUEST.match(data)
        if request is not None:
            self.place, self.passed = self.gate.place_in(b"%s %s" % request.groups()), 0
        if self.place not in (BEFORE, INSIDE):
            return data
        head, mark, body = data.partition(_BODY) if request is not None else (b"", b"", data)
        if self.place == INSIDE and (not body or self.passed + len(body) < self.gate.moment.body_bytes):
            self.passed += len(body)  # a body comes after its head
            return data
        self.gate.close()
        return head + mark + body[: len(body) // 2] if self.place == INSIDE else b""

    def to_client(self) -> None:
        while data := _received(self.server):
            if self.place == AFTER and not data.startswith(_CONTINUE):
                self.gate.close()
                self.gate.wait_until_opened()
                break
            try:
                self.client.sendall(data)
            except OSError:  # it was killed
                break
        _end(self.client, socket.SHUT_RDWR)
        self.client.close()
        self.server.close()


def _received(side: socket.socket) -> bytes:
    try:
        return side.recv(2**16)
    except OSError:
        return b""


def _end(side: socket.socket, how: int) -> None:
    try:
        side.shutdown(how)
    except OSError:
        return
