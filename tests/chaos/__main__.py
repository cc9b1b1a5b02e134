"""python -m tests.chaos [--shots 400] [--shards 4] [--kills 40] [--seed 1] [--short]: a farm that fails.

One run makes a data set undisturbed. Several commands make the same in shards, and are killed, stopped and
started again at random moments, while files are damaged, clocks jump, and the disk gets full. In the end
`verify --repair` and `merge` give the same bytes; no shot is set aside, no file and no process is left over.
Where Ray is installed, one more command makes the data set on a Ray cluster that loses nodes.
"""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.attack.case import Place
from tests.chaos.clock import Clock
from tests.chaos.disk import SmallDisk, enter_namespace
from tests.chaos.farm import Farm, Shard, make_place, run_command, write_spec
from tests.chaos.judge import faults_of_end
from tests.chaos.monkey import Monkey
from tests.chaos.ray_arm import try_ray
from tests.chaos.ray_nodes import has_ray

_BYTES_PER_SHOT = 200_000  # at 64 px, with room for half-written files
NO_DISK = "left out: the full disk, since no disk can be mounted here"
NO_RAY = "left out: the Ray cluster, since Ray is not installed here"


def main() -> int:
    options = _options()
    enter_namespace()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGALRM, lambda *_: sys.exit(f"not finished after {options.limit_s} s"))
    signal.alarm(options.limit_s)
    work = Path(tempfile.mkdtemp(prefix="blendgen-chaos-")).resolve()
    start_s = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - start_s:7.1f} s  {text}", flush=True)

    try:
        with SmallDisk(work / "disk", 30_000_000 + options.shots * _BYTES_PER_SHOT) as disk:
            faults = _try_chaos(work, disk, options, say)
            if options.keep:
                shutil.copytree(disk.folder, work / "kept")
    finally:
        print(f"kept: {work}") if options.keep else shutil.rmtree(work, ignore_errors=True)
    print("\n".join(faults))
    print(f"{len(faults)} faults" if faults else "the same bytes, and nothing left over")
    if not disk.is_mounted:
        print(NO_DISK)
    return 1 if faults else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--short", action="store_true", help="24 shots at 16 px, 2 shards, 6 kills, for CI")
    parser.add_argument("--shots", type=int)
    parser.add_argument("--size", type=int)
    parser.add_argument("--shards", type=int)
    parser.add_argument("--workers", type=int, help="of each shard")
    parser.add_argument("--kills", type=int)
    parser.add_argument("--full-disks", type=int)
    parser.add_argument("--nodes", type=int, default=3, help="of the Ray cluster")
    parser.add_argument("--ray-kills", type=int, help="on the Ray cluster; 0 leaves it out")
    parser.add_argument("--seed", type=int, default=1, help="of the choices; moments depend on the machine")
    parser.add_argument("--limit-s", type=int, help="ends the program and all that it has started")
    parser.add_argument("--keep", action="store_true", help="keep the folder")
    usual = {
        "shots": 400, "size": 64, "shards": 4, "workers": 2, "kills": 40, "full_disks": 2, "ray_kills": 16,
        "limit_s": 5400,
    }  # fmt: skip
    short = {
        "shots": 24, "size": 16, "shards": 2, "workers": 1, "kills": 6, "full_disks": 1, "ray_kills": 0,
        "limit_s": 480,
    }  # fmt: skip
    options = parser.parse_args()
    for name, value in (short if options.short else usual).items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    return options


def _try_chaos(work: Path, disk: SmallDisk, options: argparse.Namespace, say) -> list[str]:
    calm, place = make_place(work / "calm"), make_place(work / "chaos")
    spec = write_spec(calm, options.shots, options.size)
    start_s = time.monotonic()
    code, messages = run_command(calm, "generate", spec, "-o", calm.out, "--workers", options.workers)
    if code:
        return [f"the undisturbed run exits with {code}: {messages[-300:]}"]
    say("the undisturbed run is made")
    calm_s = time.monotonic() - start_s
    pace_s = calm_s / max(1, 2 * options.kills)
    usual = (place, spec, disk.folder / "set")
    numbers, more = range(options.shards), (options.shards, options.workers)
    farm = Farm([Shard(*usual, i, *more, Clock(work / f"clock-{i}")) for i in numbers], say)
    chance = random.Random(options.seed)
    monkey = Monkey(farm, disk, chance, options.kills, options.full_disks, pace_s)
    farm.run(monkey)
    _summarize(farm, monkey.counts, say)
    faults = farm.faults + (faults_of_end(place, calm, farm, chance, say) if farm.is_finished else [])
    return faults + (_try_ray(work, calm, spec, options, calm_s, say) if options.ray_kills else [])


def _try_ray(
    work: Path, calm: Place, spec: Path, options: argparse.Namespace, calm_s: float, say
) -> list[str]:
    if not has_ray():
        say(NO_RAY)
        return []
    chance, kills = random.Random(options.seed), options.ray_kills
    farm, counts = try_ray(work, calm, spec, options.nodes, kills, chance, calm_s / kills, say)
    _summarize(farm, counts, say)
    return farm.faults


def _summarize(farm: Farm, counts: Counter[str], say) -> None:
    codes = Counter({f"exit code {code}": count for code, count in farm.codes.items()})
    for what, count in sorted((counts + codes).items()):
        say(f"{count:4d} x {what}")
    say(f"{sum(farm.codes.values()) - len(farm.shards)} restarts")


if __name__ == "__main__":
    sys.exit(main())
