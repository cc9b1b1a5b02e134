"""A data set with very many rows: those of a small one, repeated. Only the first ones have images."""

from __future__ import annotations

import json
from collections import Counter
from itertools import cycle, islice
from pathlib import Path

from benchmarks.rows import lines
from blendgen.dataset.layout import Layout
from blendgen.dataset.manifest import read_lines
from blendgen.dataset.store import read_record, record_bytes


def repeat_rows(folder: Path, count: int) -> None:
    """Give the data set in a folder so many rows."""
    layout = Layout(folder)
    rows = [json.loads(line) for line in read_lines(layout.manifest)]
    repeated = [lines(row, range(number, count, len(rows))) for number, row in enumerate(rows)]
    with layout.manifest.open("wb") as manifest:
        manifest.writelines(next(one) for one in islice(cycle(repeated), count))
    counts = {
        f"images_per_{column}": dict(Counter(row[column] for row in islice(cycle(rows), count)))
        for column in ("split", "label")
    }
    nothing_failed = {"images_failed": 0, "images_failed_per_reason": {}}
    (folder / "failed.jsonl").unlink(missing_ok=True)
    layout.record.write_bytes(record_bytes(read_record(layout) | counts | nothing_failed | {"images": count}))
