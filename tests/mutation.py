"""`make mutate`: change the code in many small ways, and list the changes that no test notices.

In: modules or packages. Out: for each module the numbers of mutants, killed, survived and not tested, and the
last two as diffs. cosmic-ray (extra `mutate`) changes a copy of the repository, never the repository itself.
Each mutant costs a start of pytest: name single modules, and their tests.
`python -m tests.mutation blendgen/draw/low_discrepancy.py --tests tests/draw/test_sweep.py`
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tests.conftest import REPOSITORY

if TYPE_CHECKING:
    from cosmic_ray.work_item import WorkResult

# what is mutated -> the tests that have to notice
TESTS = {
    "blendgen/annotate.py": "tests/test_annotate.py",
    "blendgen/dataset": "tests/dataset",
    "blendgen/develop": "tests/develop",
    "blendgen/draw": "tests/draw",
    "blendgen/geometry": "tests/geometry",
    "blendgen/spec": "tests/spec",
}
# outcomes of cosmic-ray's workers; all others mean that no test decided on the mutant
_TESTED, _FILTERED_OUT = "normal", "skipped"
COPIED = ("blendgen", "tests", "assets", "configs", "scenes", "benchmarks", "docs", "pyproject.toml")
CONFIG = """[cosmic-ray]
module-path = "{module}"
timeout = {timeout_s}
excluded-modules = []
test-command = "{python} -m pytest -x -q -p no:cacheprovider {tests}"
[cosmic-ray.distributor]
name = "local"
[cosmic-ray.filters.operators-filter]
exclude-operators = [
    "core/ReplaceBinaryOperator_.*_(Mod|FloorDiv|LShift|RShift|BitOr|BitAnd|BitXor|Pow)",
    "core/ReplaceBinaryOperator_BitOr_.*",
]
"""


def tests_of(module: str) -> str:
    """The tests of a module: the file of its name, or those of its package."""
    package = next((package for package in TESTS if Path(module).is_relative_to(package)), None)
    if package is None:
        raise click.UsageError(f"{module}: not in {', '.join(TESTS)}; name its tests with --tests")
    own = Path(TESTS[package]) / f"test_{Path(module).stem}.py"
    return str(own) if (REPOSITORY / own).is_file() else TESTS[package]


def copy_repository(folder: Path) -> None:
    for name in COPIED:
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)


def mutate(folder: Path, module: str, tests: str, timeout_s: float) -> None:
    """Mutate one module of the copy in `folder`, run the tests on each mutant, and print the result."""
    config, session = folder / "mutation.toml", folder / "mutation.sqlite"
    session.unlink(missing_ok=True)
    config.write_text(
        CONFIG.format(module=module, timeout_s=timeout_s, python=sys.executable, tests=tests), "utf-8"
    )
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    cli, narrow = "cosmic_ray.cli", "cosmic_ray.tools.filters.operators_filter"
    steps = [(cli, "baseline", config), (cli, "init", config, session), (narrow, session, config)]
    for tool, *arguments in [*steps, (cli, "exec", config, session)]:
        command = [sys.executable, "-m", tool, *map(str, arguments)]
        subprocess.run(command, cwd=folder, env=environment, check=True)
    print_report(module, session)


def print_report(module: str, session: Path) -> None:
    from cosmic_ray.work_db import WorkDB, use_db

    with use_db(str(session), WorkDB.Mode.open) as work:
        print(report(module, [result for _, result in work.results]), flush=True)


def report(module: str, results: Sequence[WorkResult]) -> str:
    """The mutants that were not killed, as diffs, and the number of mutants by what became of them."""
    tested = [(outcome_of(result), result) for result in results if result.worker_outcome != _FILTERED_OUT]
    counts = Counter(outcome for outcome, _ in tested)
    others = [f"{counts[outcome]} {outcome}" for outcome in sorted(counts.keys() - {"killed", "survived"})]
    diffs = [f"{outcome}:\n{result.diff or 'no diff'}" for outcome, result in tested if outcome != "killed"]
    numbers = [f"{counts['killed']} killed", f"{counts['survived']} survived", *others]
    return "\n".join([*diffs, f"{module}: {len(tested)} mutants, {', '.join(numbers)}"])


def outcome_of(result: WorkResult) -> str:
    """killed or survived, or not tested where no run of the tests came to an end."""
    if result.worker_outcome != _TESTED:
        return f"not tested ({result.worker_outcome.value})"
    return "killed" if result.is_killed else "survived"


@click.command(help=__doc__)
@click.argument("modules", nargs=-1, metavar="MODULE...")
@click.option("--tests", help="pytest arguments instead of the tests of the module's package")
@click.option("--timeout", "timeout_s", default=300.0, help="seconds after which a mutant counts as killed")
def main(modules: tuple[str, ...], tests: str | None, timeout_s: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        copy_repository(Path(folder))
        for module in modules or TESTS:
            path = REPOSITORY / module
            files = sorted(path.rglob("*.py")) if path.is_dir() else [path]
            for file in files:
                name = file.relative_to(REPOSITORY).as_posix()
                mutate(Path(folder), name, tests or tests_of(name), timeout_s)


if __name__ == "__main__":
    main()
