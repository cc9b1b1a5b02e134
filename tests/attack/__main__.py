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

from tests.attack import farms, models, packs, rows, specs, stores, user_files
from tests.attack.case import Case
from tests.attack.home import try_home
from tests.attack.judge import try_case
from tests.attack.kills import try_kills
from tests.attack.stock import make_stock

_HOME, _KILLS = "home: every command with every target", "kills: killed, damaged and resumed"
_DEEP = 20_000  # before Python 3.12 os.walk and rmtree recurse, and one case has 2,000 folders in one another
_MODULES = (rows, user_files, models, specs, farms, packs, stores)


def main() -> int:
    options = _options()
    if shutil.which("strace") is None:
        print("strace is missing; it shows which files a command opens (apt-get install strace)")
        return 2
    sys.setrecursionlimit(_DEEP)
    work = Path(tempfile.mkdtemp(prefix="blendgen-attack-")).resolve()
    try:
        return _run(_selected(options), work, options)
    finally:
        if options.keep:
            print(f"kept: {work}")
        else:
            shutil.rmtree(work, ignore_errors=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.attack", description=__doc__)
    parser.add_argument("--short", action="store_true", help="about 25 cases, for CI")
    parser.add_argument("-k", metavar="PATTERN", default="", help="only cases whose name matches")
    parser.add_argument("--keep", action="store_true", help="keep the folders of the cases")
    parser.add_argument("-j", type=int, default=2, metavar="N", help="cases that run at the same time")
    return parser.parse_args()


def _selected(options: argparse.Namespace) -> list[Case]:
    whole = [Case(name, lambda place: [], short=True) for name in (_HOME, _KILLS)]
    all_cases = whole + [case for module in _MODULES for case in module.cases()]
    return [
        case
        for case in all_cases
        if (case.short or not options.short) and re.search(options.k, case.name, re.I)
    ]


def _run(cases: list[Case], work: Path, options: argparse.Namespace) -> int:
    stock = make_stock(work / "stock")

    def faults_of(case: Case) -> list[str]:
        if case.name == _HOME:
            return try_home(work, stock, options.short)
        if case.name == _KILLS:
            shots, kills = (24, 5) if options.short else (240, 40)
            return try_kills(work, shots, kills, 64, 1)
        return try_case(case, work, stock, options.keep, options.short)

    def run(case: Case) -> tuple[Case, list[str], float]:
        start = time.monotonic()
        return case, faults_of(case), time.monotonic() - start

    failed = 0
    with ThreadPoolExecutor(options.j) as pool:
        for case, faults, seconds in pool.map(run, cases):
            print(f"{'FAILED' if faults else 'passed'} {seconds:6.1f} s  {case.name}", flush=True)
            for fault in faults:
                print(f"                   {fault}", flush=True)
            failed += bool(faults)
    print(f"{len(cases) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
