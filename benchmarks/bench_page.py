"""Bench page: docs/bench_results.md from a report of the benchmark, of one machine and one day."""

from __future__ import annotations

from typing import Any

from benchmarks.table import table
from benchmarks.thresholds import FAIL, NOT_MEASURED

_PAGE = """# The benchmark: measured

<!-- made by `make bench`; do not edit -->

One run of [the benchmark](bench.md), which says what each figure means. On another machine times differ,
and ratios less.
{verdict}

```text
{table}
```
"""


def bench_page(report: dict[str, Any]) -> str:
    return _PAGE.format(verdict=_verdict(report), table=table(report).rstrip())


def _verdict(report: dict[str, Any]) -> str:
    """How many thresholds are met, which are not, and what was not measured."""
    names = {
        word: [one["name"] for one in report["verdicts"] if one["verdict"] == word]
        for word in (FAIL, NOT_MEASURED)
    }
    missed, missing = names[FAIL], names[NOT_MEASURED]
    met = len(report["verdicts"]) - len(missed) - len(missing)
    text = f"\n{met} of {len(report['verdicts'])} thresholds are met."
    if missed:
        text += f"\n\nNot met:\n\n{_listed(missed)}"
    if missing:
        text += f"\n\nNot measured:\n\n{_listed(missing)}"
    return text


def _listed(names: list[str]) -> str:
    return "\n".join(f"- {name}" for name in names)
