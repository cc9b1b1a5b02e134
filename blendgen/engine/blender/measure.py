"""Measure: the throw-away process that opens model files, one request at a time.

Run as `python -m blendgen.engine.blender.measure`. In: one JSON object a line on standard input,
{"source": {...}, "folder": "..."}. Out: first {"ready": true} or {"setup_error": "..."}, then for
each request {"refusal": null | "reason"}, {"failure": "..."} for what should not happen, or
{"machine_error": "..."} for what says nothing of the model (a full disk, no memory).
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any, TextIO

from blendgen.catalog.source import Source

_MACHINE = (OSError, MemoryError, ImportError)


def main() -> None:
    replies = _claim_stdout()
    try:
        from blendgen.engine.blender.asset import measure_source
    except ImportError as error:
        _reply(replies, {"setup_error": str(error)})
        return
    _reply(replies, {"ready": True})
    for line in sys.stdin:
        request = json.loads(line)
        _reply(replies, _answer(measure_source, Source(**request["source"]), Path(request["folder"])))


def _claim_stdout() -> TextIO:
    """Keep standard output for replies; what Blender prints goes to standard error instead."""
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return replies


def _reply(replies: TextIO, message: dict[str, Any]) -> None:
    replies.write(json.dumps(message) + "\n")
    replies.flush()


def _answer(measure_source, source: Source, folder: Path) -> dict[str, Any]:
    print(f"measuring {source.display}", file=sys.stderr, flush=True)
    try:
        return {"refusal": measure_source(source, folder)}
    except Exception as error:  # noqa: BLE001 - one strange model must not end the others; the log has the rest
        traceback.print_exc()
        if isinstance(error, _MACHINE):
            return {"machine_error": f"{type(error).__name__}: {error}".splitlines()[0][:200]}
        return {"failure": f"{type(error).__name__}: {error}".splitlines()[0][:200]}


if __name__ == "__main__":
    main()
