"""Events: what happens in a run, as one flat JSON object each, for other programs.

Each has "event", "time" (RFC 3339, UTC, by the clock of this machine), "run" (an id that all events of a run
have) and "elapsed_s" (since the run began, by the monotonic clock), and the keys of its class here. Keys keep
their meaning; further ones may be added. docs/farms.md lists them.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias


@dataclass(frozen=True)
class RunStarted:
    """wanted: images of this run; existing, failed: those of them that are there, or are known to fail"""

    folder: str
    host: str
    pid: int
    blendgen_version: str
    devices: list[str]
    wanted: int
    existing: int
    failed: int


@dataclass(frozen=True)
class WorkerStarted:
    """worker: its process id"""

    worker: int
    device: str


@dataclass(frozen=True)
class ImageMade:
    """seconds: that its worker spent on it; on one of its images where a shot has several"""

    index: int
    shot_index: int
    split: str
    label: str
    file_name: str
    seconds: float


@dataclass(frozen=True)
class ImageFailed:
    """reason, message: as in failed.jsonl"""

    index: int
    shot_index: int
    reason: str
    message: str


@dataclass(frozen=True)
class RunEstimated:
    """images: that are missing; seconds, size_bytes: about what they need, judged by the first ones"""

    images: int
    seconds: float
    size_bytes: int


@dataclass(frozen=True)
class WorkerCrashed:
    """worker: its process id; reason: why it ended; shots: those that it had started"""

    worker: int
    reason: str
    shots: list[int]


@dataclass(frozen=True)
class RunFinished:
    """exit_code: of the command; images: in the data set; the rest counts the wanted images"""

    exit_code: int
    images: int
    wanted: int
    existing: int
    made: int
    failed: int


@dataclass(frozen=True)
class RunStopped:
    """exit_code: of the command, null if the run does not know it; message: why; the rest counts the wanted
    images, and is 0 if the run ended before it knew them"""

    exit_code: int | None
    message: str
    wanted: int
    existing: int
    made: int
    failed: int


Event: TypeAlias = (
    RunStarted
    | WorkerStarted
    | ImageMade
    | ImageFailed
    | RunEstimated
    | WorkerCrashed
    | RunFinished
    | RunStopped
)
NAMES: dict[type, str] = {
    RunStarted: "run_started",
    WorkerStarted: "worker_started",
    ImageMade: "image_made",
    ImageFailed: "image_failed",
    RunEstimated: "run_estimated",
    WorkerCrashed: "worker_crashed",
    RunFinished: "run_finished",
    RunStopped: "run_stopped",
}


class Events:
    """The events of one run, each given to `receive` as a dictionary; None: to nobody."""

    def __init__(self, receive: Callable[[dict[str, Any]], None] | None = None):
        self.run, self._receive = secrets.token_hex(8), receive
        self._began_s = time.monotonic()

    def emit(self, event: Event) -> None:
        if self._receive is None:
            return
        head = {
            "event": NAMES[type(event)],
            "time": now(),
            "run": self.run,
            "elapsed_s": round(time.monotonic() - self._began_s, 3),
        }
        self._receive(head | asdict(event))


def now() -> str:
    """The time as RFC 3339 in UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
