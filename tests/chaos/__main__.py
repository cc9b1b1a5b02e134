"""python -m tests.chaos [--shots 400] [--shards 4] [--kills 40] [--seed 1] [--short]: a farm that fails.

One run makes a data set undisturbed. Several commands make the same in shards, and are killed, stopped and
started again at random moments, while files are damaged, clocks jump, and the disk gets full. In the end
`verify --repair` and `merge` give the same bytes; no shot is set aside, no file and no process is left over.
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

from tests.chaos.clock import Clock
from tests.chaos.disk import SmallDisk, enter_namespace
from tests.chaos.farm import Farm, Shard, make_place, run_command, write_spec
from tests.chaos.judge import faults_of_end
from tests.chaos.monkey import Monkey

_BYTES_PER_SHOT = 200_000  # at 64 px, with room for half-written files
NO_DISK = "left out: the full disk, since no disk can be mounted here"


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
    parser.add_argument("--seed", type=int, default=1, help="of the choices; moments depend on the machine")
    parser.add_argument("--limit-s", type=int, help="ends the program and all that it has started")
    parser.add_argument("--keep", action="store_true", help="keep the folder")
    usual = {
        "shots": 400,
        "size": 64,
        "shards": 4,
        "workers": 2,
        "kills": 40,
        "full_disks": 2,
        "limit_s": 5400,
    }
    short = {"shots": 24, "size": 16, "shards": 2, "workers": 1, "kills": 6, "full_disks": 1, "limit_s": 480}
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
    pace_s = (time.monotonic() - start_s) / max(1, 2 * options.kills)
    usual = (place, spec, disk.folder / "set")
    numbers, more = range(options.shards), (options.shards, options.workers)
    farm = Farm([Shard(*usual, i, *more, Clock(work / f"clock-{i}")) for i in numbers], say)
    chance = random.Random(options.seed)
    monkey = Monkey(farm, disk, chance, options.kills, options.full_disks, pace_s)
    try:
        _until_finished(farm, monkey)
    finally:
        farm.stop()
    _summarize(farm, monkey, say)
    return farm.faults + (faults_of_end(place, calm, farm, chance, say) if farm.is_finished else [])


def _until_finished(farm: Farm, monkey: Monkey) -> None:
    while not (monkey.is_done and farm.is_finished):
        if len(farm.faults) > 3:
            farm.faults.append("not finished")
            return
        farm.tend()
        if not monkey.is_done:
            monkey.look()
        time.sleep(0.05)


def _summarize(farm: Farm, monkey: Monkey, say) -> None:
    codes = Counter({f"exit code {code}": count for code, count in farm.codes.items()})
    for what, count in sorted((monkey.counts + codes).items()):
        say(f"{count:4d} x {what}")
    say(f"{sum(farm.codes.values()) - len(farm.shards)} restarts")


if __name__ == "__main__":
    sys.exit(main())
