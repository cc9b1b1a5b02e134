"""Ray arm: one command makes the data set on a Ray cluster whose nodes are lost at random moments.

After every finished run the data set has the bytes of the undisturbed one; while there are kills left, it is
removed and made once more.
"""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from tests.attack.case import Place
from tests.attack.kills import differences
from tests.attack.watch import environment
from tests.chaos.clock import Clock
from tests.chaos.farm import Farm, Shard, make_place
from tests.chaos.judge import leftovers
from tests.chaos.ray_monkey import RayMonkey
from tests.chaos.ray_nodes import RayNodes


class Driver(Shard):
    """The process that watches the tasks; address: of the cluster."""

    address: str = ""

    @property
    def data(self) -> Path:
        return self.folder

    @property
    def options(self) -> tuple[object, ...]:
        return "--executor", "ray", "--shards", self.count

    def environment(self) -> dict[str, str]:
        return super().environment() | {"RAY_ADDRESS": self.address}


def try_ray(
    work: Path, calm: Place, spec: Path, nodes: int, kills: int, chance: random.Random, pace_s: float,
    say: Callable[[str], None],
) -> tuple[Farm, Counter[str]]:  # fmt: skip
    """The farm of one driver, with the faults, and what was done to it, by kind."""
    place, mark = make_place(work / "ray"), f"{work.name}-ray"
    with RayNodes(nodes, environment(place, mark)) as cluster:
        driver = Driver(place, spec, place.out, 0, 2 * nodes, 1, Clock(work / "clock-ray"))
        driver.address = cluster.address
        farm = Farm([driver], say)
        monkey = RayMonkey(farm, cluster, chance, kills, pace_s)

        def ended(driver: Shard) -> None:
            if driver.codes[-1] == 0:
                farm.faults.extend(differences(calm.out, driver.folder))
            if driver.codes[-1] == 0 and monkey.kills_left:
                shutil.rmtree(driver.folder)
                driver.wanted = True

        farm.ended = ended
        farm.run(monkey)
    farm.faults += leftovers(place, calm, [mark, *(mark for mark, _ in driver.past)])
    return farm, monkey.counts
