"""Bench page: docs/bench_results.md from a report of the benchmark, of one machine and one day."""

from __future__ import annotations

from typing import Any

from benchmarks.table import table
from benchmarks.thresholds import FAIL, NOT_JUDGED, NOT_MEASURED, PASS

_PAGE = """# The benchmark: measured

<!-- # Written by blendgen in `make bench`; do not edit -->

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
    """How many thresholds are met, and the names of all others."""
    names: dict[str, list[str]] = {word: [] for word in (PASS, FAIL, NOT_MEASURED, NOT_JUDGED)}
    for one in report["verdicts"]:
        names[one["verdict"]].append(one["name"])
    text = f"\n{len(names.pop(PASS))} of {len(report['verdicts'])} thresholds are met."
    titles = {FAIL: "Not met"}
    for word, listed in names.items():
        if listed:
            lines = "\n".join(f"- {name}" for name in listed)
            text += f"\n\n{titles.get(word, word.capitalize())}:\n\n{lines}"
    return text
