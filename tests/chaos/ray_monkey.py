"""Ray monkey: disturbs a run on a Ray cluster at random moments.

It kills the watching process, tasks, their commands, workers and whole nodes, and stops nodes for longer than
Ray waits for them. What a killed process had started has to end by itself. Nodes are replaced after a while.
"""

from __future__ import annotations

import random
import signal
import time
from collections import Counter

import psutil

from tests.attack.watch import kill
from tests.chaos.farm import Farm, Shard
from tests.chaos.later import Later
from tests.chaos.ray_nodes import RayNodes, command_line, descendants

_LONGEST_STOP_S = 8.0
_REPLACED_AFTER_S = 3.0
_ENDS_WITHIN_S = 10.0
# a shard is given up after the fourth try; Ray itself starts what else is lost again
_MOST_TRIES = 3


class RayMonkey:
    """kills: how many are left; pace_s: the mean time between disturbances"""

    def __init__(self, farm: Farm, nodes: RayNodes, chance: random.Random, kills: int, pace_s: float):
        self._farm, self._nodes, self._chance, self._pace_s = farm, nodes, chance, pace_s
        self.kills_left, self.counts = kills, Counter[str]()
        self._later = Later()
        self._next_s = time.monotonic()
        self._tries: Counter[int] = Counter()

    @property
    def is_done(self) -> bool:
        return not self.kills_left and not self._later

    @property
    def _driver(self) -> Shard:
        return self._farm.shards[0]

    def look(self) -> None:
        """Do what is due."""
        now_s = time.monotonic()
        self._later.do_due()
        if now_s >= self._next_s and self.kills_left and self._nodes.commands():
            self._next_s = now_s + self._chance.uniform(0.0, 2 * self._pace_s)
            self._disturb()

    def _disturb(self) -> None:
        kinds = {
            self._kill_driver: 2, self._lose_node: 3, self._lose_raylet: 2, self._kill_task: 2,
            self._kill_command: 1, self._kill_worker: 2, self._stop_raylet: 1, self._signal: 1,
        }  # fmt: skip
        self._chance.choices([*kinds], [*kinds.values()])[0]()

    def _kill_driver(self) -> None:
        if self._driver.process is not None:
            self._expect_end("driver", self._nodes.commands())
            self._driver.process.kill()
            self._note_kill("driver")

    def _lose_node(self) -> None:
        if raylets := self._nodes.raylets():
            raylet = self._chance.choice(raylets)
            kill([raylet, *descendants(raylet)])
            self._later.add(self._nodes.fill, _REPLACED_AFTER_S)
            self._note_kill("node")

    def _lose_raylet(self) -> None:
        if raylets := self._nodes.raylets():
            raylet = self._chance.choice(raylets)
            self._expect_end("raylet", descendants(raylet))
            kill([raylet])
            self._later.add(self._nodes.fill, _REPLACED_AFTER_S)
            self._note_kill("raylet")

    def _kill_task(self) -> None:
        self._kill_one("task", self._nodes.tasks())

    def _kill_worker(self) -> None:
        self._kill_one("worker", self._nodes.workers())

    def _kill_command(self) -> None:
        run = len(self._driver.codes)
        if self._tries[run] < _MOST_TRIES and self._kill_one("command", self._nodes.commands()):
            self._tries[run] += 1

    def _kill_one(self, what: str, processes: list[psutil.Process]) -> bool:
        if processes:
            process = self._chance.choice(processes)
            self._expect_end(what, descendants(process))
            kill([process])
            self._note_kill(what)
        return bool(processes)

    def _stop_raylet(self) -> None:
        """Stop the main process of a node, perhaps until Ray starts its tasks elsewhere."""
        if raylets := self._nodes.raylets():
            raylet = self._chance.choice(raylets)
            self._send(raylet, signal.SIGSTOP)
            self._later.add(
                lambda: self._send(raylet, signal.SIGCONT), self._chance.uniform(0.2, _LONGEST_STOP_S)
            )
            self._later.add(self._nodes.fill, _LONGEST_STOP_S + _REPLACED_AFTER_S)
            self._note("SIGSTOP raylet")

    def _signal(self) -> None:
        if self._driver.process is not None:
            number = self._chance.choice((signal.SIGTERM, signal.SIGUSR1, signal.SIGINT))
            self._driver.process.send_signal(number)
            self._note(f"{number.name} driver")

    def _expect_end(self, what: str, processes: list[psutil.Process]) -> None:
        def look() -> None:
            left = [text for one in processes if (text := command_line(one))]
            if left:
                self._farm.faults.append(f"these outlive a killed {what}: {'; '.join(left)}")

        self._later.add(look, _ENDS_WITHIN_S)

    def _note_kill(self, what: str) -> None:
        self.kills_left -= 1
        self._note(f"SIGKILL {what}")

    def _note(self, what: str) -> None:
        self.counts[f"Ray: {what}"] += 1
        self._farm.say(what)

    @staticmethod
    def _send(process: psutil.Process, number: signal.Signals) -> None:
        try:
            process.send_signal(number)
        except psutil.Error:
            return
