"""Measure: the process that opens model files, one request at a time.

Run as `python -m blendgen.engine.blender.importing.measure`. In: one JSON object per line on standard input,
{"source": {...}, "folder": "...", "timeout_s": 120}. Out: first {"ready": true} or {"setup_error": "..."},
then for each request {"refusal": null | "reason"}, {"failure": "..."} for an unexpected error,
{"crash": exit status} if the importer crashed, {"disk_error": "..."} if the disk is full or gone,
{"out_of_memory": "..."} if this machine has too little memory, or {"machine_error": "..."} for another error
that is not the model's fault (a missing library).

Blender is loaded once; a fork answers each request. It confines itself before it opens the model (see
system/sandbox.py) and cannot affect the answers for other models.
"""

from __future__ import annotations

import errno
import importlib
import json
import os
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

from blendgen.engine.blender.importing.confined import MEMORY_VARIABLE, MemoryLimit, confine_to
from blendgen.errors import DiskUnavailable
from blendgen.files.disk import disk_error, passes
from blendgen.models.companions import Companions
from blendgen.models.scan import CAD_SUFFIXES, model_suffix
from blendgen.models.source import Source
from blendgen.system.end_with_parent import PARENT_VARIABLE, end_with_parent
from blendgen.system.stop_signals import ignore_stop_signals

# errors of the system that no file causes
_MACHINE = {
    *(errno.EROFS, errno.ENOMEM, errno.EAGAIN, errno.EMFILE, errno.ENFILE),
}
_MAX_REPLY_BYTES = 65_536
_LIBRARIES = {**dict.fromkeys(CAD_SUFFIXES, "cascadio"), "dae": "collada"}


def main() -> None:
    end_with_parent(int(os.environ.get(PARENT_VARIABLE) or os.getppid()))
    ignore_stop_signals()
    replies = _claim_stdout()
    try:
        fill_entry = _loaded()
    except ImportError as error:
        _reply(replies, {"setup_error": str(error)})
        return
    _reply(replies, {"ready": True})
    for line in sys.stdin:
        request = json.loads(line)
        _load_library(request["source"]["options"].get("path", ""))
        _reply(replies, _forked(fill_entry, request, replies))


def _loaded():
    """fill_entry, with Blender loaded on one core: a fork does not have the threads of its parent."""
    cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    if cores:
        os.sched_setaffinity(0, {sorted(cores)[os.getpid() % len(cores)]})  # several may load at once
    from blendgen.engine.blender.importing.asset import fill_entry
    from blendgen.engine.blender.importing.forking import make_forkable

    make_forkable()
    if cores:
        os.sched_setaffinity(0, cores)
    return fill_entry


def _load_library(path: str) -> None:
    """Load the library that reads a format, once instead of in each fork; nothing if it is not installed."""
    library = _LIBRARIES.get(model_suffix(path))
    if library:
        with suppress(ImportError):
            importlib.import_module(library)


def _claim_stdout() -> TextIO:
    """Reserve standard output for replies; Blender prints to standard error instead."""
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return replies


def _reply(replies: TextIO, message: dict[str, Any]) -> None:
    replies.write(json.dumps(message) + "\n")
    replies.flush()


def _forked(fill_entry, request: dict[str, Any], replies: TextIO) -> dict[str, Any]:
    """Let a fork of this process answer one request."""
    from blendgen.engine.blender.importing.forking import fork

    readable, writable = os.pipe()
    server = os.getpid()
    child = fork()
    if child == 0:
        os.close(readable)
        replies.close()
        _answer_and_exit(fill_entry, request, writable, server)
    os.close(writable)
    with os.fdopen(readable, "rb") as answers:
        line = answers.read(_MAX_REPLY_BYTES).partition(b"\n")[0]
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        return json.loads(line)
    except ValueError:
        return {"crash": status}


def _answer_and_exit(fill_entry, request: dict[str, Any], answer: int, server: int) -> None:
    status = 1
    try:
        end_with_parent(server)
        os.close(0)
        source, folder = Source(**request["source"]), Path(request["folder"])
        memory = confine_to(source, folder, request.get("timeout_s")) if source.kind == "mesh" else None
        message = _answer(fill_entry, source, folder, memory)
        os.write(answer, json.dumps(message).encode()[: _MAX_REPLY_BYTES - 1] + b"\n")
        status = 0
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)  # Blender's clean-up is only for the parent


def _answer(fill_entry, source: Source, folder: Path, memory: MemoryLimit | None) -> dict[str, Any]:
    print(f"measuring {source.display}", file=sys.stderr, flush=True)
    try:
        return {"refusal": fill_entry(source, folder)}
    except MemoryError:
        traceback.print_exc()
        return _out_of_memory(memory)
    except DiskUnavailable as error:
        return {"disk_error": str(error)}
    except Exception as error:  # noqa: BLE001 - one bad model must not end the others; the log has the traceback
        traceback.print_exc()
        if isinstance(error, OSError) and passes(error):
            return {"disk_error": str(disk_error(Path(error.filename or folder), error))}
        message = _message(error, source).splitlines()[0][:200]
        return {"machine_error": message} if _is_of_machine(error, folder) else {"failure": message}


def _message(error: Exception, source: Source) -> str:
    if isinstance(error, OSError) and error.errno == errno.EFBIG and "path" in source.options:
        return Companions.of(source.options).unreadable(error)
    return f"{type(error).__name__}: {error}"


def _is_of_machine(error: Exception, folder: Path) -> bool:
    """Whether other models would fail too: a library is missing, or the entry cannot be written."""
    if isinstance(error, OSError):
        return error.errno in _MACHINE or str(folder) in str(error.filename)
    return isinstance(error, ImportError)


def _out_of_memory(memory: MemoryLimit | None) -> dict[str, Any]:
    """A limit that is the same on every machine rejects the model; too little free memory stops the run."""
    if memory is None:
        return {"out_of_memory": "it needs more memory than there is"}
    reason = f"it needs more than {memory.gib:.3g} GiB of memory"
    if memory.lowered:
        reason += f", 3/4 of what is free; free some, or set {MEMORY_VARIABLE}"
        return {"out_of_memory": reason}
    return {"failure": f"{reason}; {MEMORY_VARIABLE} raises the limit"}


if __name__ == "__main__":
    main()
