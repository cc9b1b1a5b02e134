"""Monkey: disturbs the runs of a farm at random moments.

In: a farm and a random generator, whose seed repeats the choices, not what the runs do at the time. Out: how
many disturbances there were, by kind. Finished shards are damaged and made again while there are kills left.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter

import psutil

from tests.attack.watch import kill
from tests.chaos.damage import remove_images, tear_last_row, truncate_images
from tests.chaos.disk import SmallDisk
from tests.chaos.farm import Farm, Shard
from tests.chaos.later import Later

_LONGEST_FULL_S = 30.0
_JUMPS_S = (-86_400 * 365, -7_200, -90, 90, 7_200, 86_400 * 365)


class Monkey:
    """kills: how many are left; full_disks: how often the disk gets full in between

    pace_s: the mean time between disturbances
    """

    def __init__(
        self, farm: Farm, disk: SmallDisk, chance: random.Random, kills: int, full_disks: int, pace_s: float
    ):
        self._farm, self._disk, self._chance, self._pace_s = farm, disk, chance, pace_s
        self.kills_left, self.counts = kills, Counter[str]()
        fractions = [(number + 1) / (full_disks + 1) for number in range(full_disks * disk.is_mounted)]
        self._full_disks = [int(kills * fraction) for fraction in fractions]  # after so many kills
        self._later = Later()
        self._next_s = 0.0
        self._retries_when_filled = 0
        farm.ended = self._tear

    @property
    def is_done(self) -> bool:
        return not self.kills_left and not self._full_disks and not self._later and not self._disk.is_full

    def look(self) -> None:
        """Do what is due."""
        now_s = time.monotonic()
        self._later.do_due()
        if self._disk.is_full:
            if self._farm.codes[75] > self._retries_when_filled + 1:
                self._clear_disk()
        elif self._full_disks and sum(self._kills.values()) >= self._full_disks[0]:
            self._fill_disk()
        elif now_s >= self._next_s:
            self._next_s = now_s + self._chance.uniform(0.0, 2 * self._pace_s)
            self._disturb()

    @property
    def _kills(self) -> Counter[str]:
        return Counter({name: count for name, count in self.counts.items() if name.startswith("SIGKILL")})

    def _disturb(self) -> None:
        shard = self._chance.choice(self._farm.shards)
        if shard.process is None:
            self._continue(shard)
            return
        kinds = {self._kill: 6, self._signal: 1, self._pause: 1, self._jump: 1, self._truncate: 1}
        action = self._chance.choices([*kinds], [*kinds.values()])[0]
        action(shard)

    def _kill(self, shard: Shard) -> None:
        """Kill a parent, its process group, one of its children, or all of them."""
        whom = self._chance.choice(("parent", "process group", "worker", "all workers"))
        children = shard.children()
        if not self.kills_left or ("worker" in whom and not children):
            return
        if whom == "process group":
            os.killpg(shard.process.pid, signal.SIGKILL)
        elif whom == "parent":
            shard.process.kill()
        else:
            kill([self._chance.choice(children)] if whom == "worker" else children)
        self.kills_left -= 1
        self._note(f"SIGKILL {whom}", shard)

    def _signal(self, shard: Shard) -> None:
        number = self._chance.choice((signal.SIGTERM, signal.SIGUSR1, signal.SIGINT, signal.SIGXCPU))
        shard.process.send_signal(number)
        self._note(number.name, shard)

    def _pause(self, shard: Shard) -> None:
        """Stop a parent or a worker for a moment."""
        parent = psutil.Process(shard.process.pid)
        target = self._chance.choice([parent, *shard.children()])
        self._send(target, signal.SIGSTOP)
        self._later.add(lambda: self._send(target, signal.SIGCONT), self._chance.uniform(0.2, 4.0))
        self._note(f"SIGSTOP {'parent' if target is parent else 'worker'}", shard)

    def _jump(self, shard: Shard) -> None:
        jump_s = self._chance.choice(_JUMPS_S)
        shard.clock.set(jump_s)
        self._note("clock jump", shard, f"to {jump_s:+d} s")

    def _truncate(self, shard: Shard) -> None:
        if truncate_images(shard.data, self._chance):
            self._note("damaged images", shard)

    def _tear(self, shard: Shard) -> None:
        """Tear the last row of a shard whose run was killed, as a machine does that loses power."""
        was_killed = shard.codes[-1] == -signal.SIGKILL
        if was_killed and self._chance.random() < 0.5 and tear_last_row(shard.data, self._chance):
            self._note("torn row", shard)

    def _continue(self, shard: Shard) -> None:
        """Remove images of a finished shard while there are kills left."""
        if self.kills_left and not shard.wanted and remove_images(shard.data, self._chance):
            self._note("removed images", shard)
            shard.wanted = True

    def _fill_disk(self) -> None:
        self._full_disks.pop(0)
        self._retries_when_filled = self._farm.codes[75]
        for shard in self._farm.shards:
            remove_images(shard.data, self._chance)
            shard.wanted = True
        self._disk.fill()
        self._note("full disk", None)
        self._later.add(self._clear_disk, _LONGEST_FULL_S)

    def _clear_disk(self) -> None:
        if self._disk.is_full:
            self._disk.clear()
            self._later.drop(self._clear_disk)
            self._farm.say("the disk has room again")

    def _note(self, what: str, shard: Shard | None, detail: str = "") -> None:
        self.counts[what] += 1
        self._farm.say(" ".join(filter(None, (what, f"shard {shard.number}" if shard else "", detail))))

    @staticmethod
    def _send(process: psutil.Process, number: signal.Signals) -> None:
        try:
            process.send_signal(number)
        except psutil.Error:
            return
