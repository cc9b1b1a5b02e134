"""Farm: shards that separate commands make, each started again whenever its exit code says so.

In: a folder for everything but the data set, a disk for that, a spec. Out: the exit codes of the runs of each
shard, and what went wrong: a code that no scheduler would try again, or processes that outlive their parent.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import psutil

from tests.attack.case import Place
from tests.attack.stock import SMALL_SPEC, write_yaml
from tests.attack.watch import blendgen, environment, kill, marked_processes
from tests.chaos.clock import Clock
from tests.engine.model_files import obj

AGAIN = (75, 129, 130, 143)
_SENT = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2)
_ORPHANS_END_S = 10.0
_RESTART_S = 0.5


def make_place(root: Path) -> Place:
    """Folders for temporary files and the cache."""
    place = Place(root, "", root)
    for folder in (place.given, place.tmp, place.home, place.cache):
        folder.mkdir(parents=True)
    return place


def write_spec(place: Place, shots: int, size: int) -> Path:
    """A spec with two models in place.given."""
    (place.given / "models").mkdir()
    for name, scale in (("box", 1), ("slab", 3)):
        corners = [(x * scale, y, z) for x in (0, 1) for y in (0, 2) for z in (0, 3)]
        (place.given / "models" / f"{name}.obj").write_text(obj(corners))
    return write_yaml(place, SMALL_SPEC.format(shots=shots, size=size))


def run_command(place: Place, *args: object, mark: str = "") -> tuple[int, str]:
    """The exit code and the messages of a command that nobody disturbs."""
    done = subprocess.run(
        [*blendgen(), *map(str, args)], env=environment(place, mark), stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stderr


@dataclass(eq=False)
class Shard:
    """number: of `count`; codes: of its finished runs; past: marks of runs that ended, and when

    wanted: whether images are missing
    """

    place: Place
    spec: Path
    folder: Path
    number: int
    count: int
    workers: int
    clock: Clock
    codes: list[int] = field(default_factory=list)
    past: list[tuple[str, float]] = field(default_factory=list)
    process: subprocess.Popen | None = None
    wanted: bool = True
    _ended_s: float = 0.0
    _mark: str = ""

    @property
    def data(self) -> Path:
        return self.folder / "shards" / f"{self.number:05d}-of-{self.count:05d}"

    @property
    def log(self) -> Path:
        return self.place.root / f"shard-{self.number}.log"

    @property
    def options(self) -> tuple[object, ...]:
        """Of the command."""
        return "--workers", self.workers, "--shard", f"{self.number}/{self.count}"

    def environment(self) -> dict[str, str]:
        return self.clock.environment(environment(self.place, self._mark))

    @property
    def is_waiting(self) -> bool:
        """Whether it has to be started, and has been down for a moment."""
        return self.process is None and self.wanted and time.monotonic() - self._ended_s > _RESTART_S

    def start(self) -> None:
        self._mark = "-".join(
            map(str, (self.place.root.parent.name, self.place.root.name, self.number, len(self.codes)))
        )
        command = [*blendgen(), "generate", *map(str, (self.spec, "-o", self.folder, *self.options))]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, env=self.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=log, start_new_session=True,
            )  # fmt: skip

    def look(self) -> int | None:
        """The exit code of a run that has ended since the last look."""
        if self.process is None or (code := self.process.poll()) is None:
            return None
        self.process, self._ended_s = None, time.monotonic()
        self.codes.append(code)
        self.past.append((self._mark, self._ended_s))
        self.wanted = code != 0
        return code

    def children(self) -> list[psutil.Process]:
        try:
            return psutil.Process(self.process.pid).children(recursive=True) if self.process else []
        except psutil.NoSuchProcess:
            return []

    def orphans(self) -> list[psutil.Process]:
        """Processes of runs that have ended some time ago; each is found once."""
        due = [mark for mark, ended_s in self.past if time.monotonic() - ended_s > _ORPHANS_END_S]
        self.past = [(mark, ended_s) for mark, ended_s in self.past if mark not in due]
        return [one for mark in due for one in marked_processes(mark)]

    def last_words(self) -> str:
        return self.log.read_text(errors="replace")[-300:] if self.log.exists() else ""


class Disturber(Protocol):
    """is_done: whether nothing more is to happen; look: do what is due"""

    @property
    def is_done(self) -> bool: ...

    def look(self) -> None: ...


@dataclass
class Farm:
    """say: prints an event; ended: called with a shard whose run has ended"""

    shards: list[Shard]
    say: Callable[[str], None]
    ended: Callable[[Shard], None] = lambda shard: None
    faults: list[str] = field(default_factory=list)

    def run(self, disturber: Disturber) -> None:
        """Until all is made and nothing more happens; kills what then still runs."""
        try:
            while not (disturber.is_done and self.is_finished):
                if len(self.faults) > 3:
                    self.faults.append("not finished")
                    return
                self.tend()
                if not disturber.is_done:
                    disturber.look()
                time.sleep(0.05)
        finally:
            self.stop()

    def tend(self) -> None:
        """Start what has to be started; note what has ended."""
        for shard in self.shards:
            code = shard.look()
            if code is not None:
                self._note(shard, code)
                self.ended(shard)
            if left := shard.orphans():
                self.faults.append(f"shard {shard.number}: {len(left)} processes outlive their run")
                kill(left)
            if shard.is_waiting:
                shard.start()

    def stop(self) -> None:
        """Kill what still runs."""
        for shard in self.shards:
            if shard.process is not None:
                os.killpg(shard.process.pid, signal.SIGKILL)
                shard.process.wait()

    @property
    def is_finished(self) -> bool:
        return not any(shard.wanted or shard.process for shard in self.shards)

    @property
    def codes(self) -> Counter[int]:
        return Counter(code for shard in self.shards for code in shard.codes)

    def _note(self, shard: Shard, code: int) -> None:
        self.say(f"shard {shard.number} ends with {code}")
        if code and code not in AGAIN and -code not in _SENT:
            self.faults.append(f"shard {shard.number} exits with {code}: {shard.last_words()}")
