"""python -m tests.attack [--short] [-k PATTERN] [--keep]: hostile inputs against the real commands."""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.attack import belongings, models, rows, specs
from tests.attack.case import Case
from tests.attack.home import try_home
from tests.attack.judge import try_case
from tests.attack.kills import try_kills
from tests.attack.stock import make_stock

_HOME, _KILLS = "home: every command, all over it", "kills: killed, damaged and resumed"
_ROOMS = (rows, belongings, models, specs)


def main() -> int:
    options = _options()
    if shutil.which("strace") is None:
        print("strace is missing; it shows which files a command opens (apt-get install strace)")
        return 2
    work = Path(tempfile.mkdtemp(prefix="blendgen-attack-")).resolve()
    try:
        return _run(_chosen(options), work, options)
    finally:
        if options.keep:
            print(f"kept: {work}")
        else:
            shutil.rmtree(work, ignore_errors=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.attack", description=__doc__)
    parser.add_argument("--short", action="store_true", help="some 25 cases, for CI")
    parser.add_argument("-k", metavar="PATTERN", default="", help="only cases whose name has this in it")
    parser.add_argument("--keep", action="store_true", help="keep the folders of the cases")
    parser.add_argument("-j", type=int, default=2, metavar="N", help="cases at a time")
    return parser.parse_args()


def _chosen(options: argparse.Namespace) -> list[Case]:
    whole = [Case(name, lambda place: [], short=True) for name in (_HOME, _KILLS)]
    found = whole + [case for room in _ROOMS for case in room.cases()]
    return [
        case for case in found if (case.short or not options.short) and re.search(options.k, case.name, re.I)
    ]


def _run(cases: list[Case], work: Path, options: argparse.Namespace) -> int:
    stock = make_stock(work / "stock")

    def judged(case: Case) -> list[str]:
        if case.name == _HOME:
            return try_home(work, stock, options.short)
        if case.name == _KILLS:
            shots, kills = (24, 5) if options.short else (240, 40)
            return try_kills(work, shots, kills, 64, 1)
        return try_case(case, work, stock, options.keep, options.short)

    def tried(case: Case) -> tuple[Case, list[str], float]:
        start = time.monotonic()
        return case, judged(case), time.monotonic() - start

    failed = 0
    with ThreadPoolExecutor(options.j) as pool:
        for case, faults, seconds in pool.map(tried, cases):
            print(f"{'FAILED' if faults else 'passed'} {seconds:6.1f} s  {case.name}", flush=True)
            for fault in faults:
                print(f"                   {fault}", flush=True)
            failed += bool(faults)
    print(f"{len(cases) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
