"""Judge: run a case and return the rules that it broke; an empty list is a pass."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import stat
import sys
import tempfile
from pathlib import Path

from tests.attack import canary
from tests.attack.case import CODES, HARMLESS, REFUSED, SURVIVES, Case, Command, Place
from tests.attack.trace import CONNECT, EXECUTE, READ, Access, accesses
from tests.attack.watch import Outcome, watch

REPOSITORY = Path(__file__).resolve().parents[2]
_SYSTEM = (
    "/usr",
    "/lib",
    "/lib64",
    "/bin",
    "/sbin",
    "/etc",
    "/proc",
    "/sys",
    "/dev",
    "/opt",
    "/run",
    "/var/lib",
)
_READABLE = tuple(
    {*_SYSTEM, sys.prefix, sys.base_prefix, os.path.realpath(sys.base_prefix), str(REPOSITORY)}
)  # fmt: skip
_WRITABLE = ("/dev/null", "/dev/tty", "/dev/shm", "/dev/dri", "/proc/self", "/proc/thread-self")
_NEVER = ("/etc/shadow", "/etc/gshadow", "/etc/ssl/private")
_HIDDEN = re.compile(
    rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xaa-\xae]|\xe2\x81[\xa6-\xa9]"
)
_NAMELESS = ("pipe:", "socket:", "anon_inode:", "/memfd:", "")


def try_case(case: Case, work: Path, stock: Path, keep: bool = False, short: bool = False) -> list[str]:
    """The faults of a case, one line each."""
    place = _new_place(case, work, stock)
    place.short = short
    try:
        faults, leaked = [], set()
        for number, command in enumerate(case.make(place)):
            before = canary.snapshot(place)
            traces = work / f"{place.root.name}.trace{number}"
            outcome = watch(place, command, traces)
            command_faults = [*outcome.faults, *_by_outcome(command, outcome)]
            command_faults += _by_trace(place, accesses(traces, command.cwd or place.root))
            command_faults += _first(canary.changed(before, canary.snapshot(place)))
            leaks = _by_leaks(place, command, outcome)
            command_faults += [leak for leak in leaks if leak not in leaked]
            leaked.update(leaks)
            faults += [f"{command.shown}: {fault}" for fault in command_faults]
        return faults
    finally:
        for call in place.at_end:
            call()
        if not keep:
            _remove(place.root)
            for path in work.glob(f"{place.root.name}.*"):
                _remove(path) if path.is_dir() else path.unlink()


def _new_place(case: Case, work: Path, stock: Path) -> Place:
    name = re.sub(r"[^\w-]+", "_", case.name)[:60]
    root = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=work)).resolve()
    place = Place(root, f"CANARY-{secrets.token_hex(8)}", stock)
    for folder in (place.given, place.tmp, place.home):
        folder.mkdir()
    shutil.copytree(stock / "cache", place.cache)
    canary.write_canaries(place)
    # files that Blender writes to a home folder are checked by one case (user_files.py), not by all
    place.writable += [place.home / ".cache", place.home / ".config"]
    return place


def _by_outcome(command: Command, outcome: Outcome) -> list[str]:
    faults, output = [], outcome.stdout + outcome.stderr
    if b"Traceback (most recent call last)" in output:
        last = outcome.stderr.decode(errors="replace").strip().splitlines() or ["?"]
        faults.append(f"traceback, {last[-1][:100]}")
    if outcome.faults:
        return faults
    code = outcome.code
    if code not in CODES:
        faults.append(f"exits with {code}, {_last_line(outcome)}")
    elif command.expect == REFUSED and code not in command.codes:
        faults.append(f"not refused: exits with {code} instead of one of {command.codes}")
    elif command.expect == SURVIVES and code != 0:
        faults.append(f"exits with {code} instead of 0, {_last_line(outcome)}")
    elif command.expect == HARMLESS and code not in (0, *command.codes):
        faults.append(f"exits with {code} instead of 0 or one of {command.codes}, {_last_line(outcome)}")
    if code and not re.search(command.says, output.decode(errors="replace")):
        faults.append(f"its message does not match {command.says!r}: {_last_line(outcome)}")
    hidden = re.search(
        rb"[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xaa-\xae]|\xe2\x81[\xa6-\xa9]", output
    )
    if hidden:
        faults.append(f"prints the control character {hidden[0]!r}")
    return faults


def _last_line(outcome: Outcome) -> str:
    lines = outcome.stderr.decode(errors="replace").strip().splitlines()
    return f"with the message {lines[-1][:120]!r}" if lines else "without a message"


def _by_trace(place: Place, done: set[Access]) -> list[str]:
    return _first(sorted({fault for access in done if (fault := _fault_of(place, access))}))


def _first(faults: list[str], limit: int = 4) -> list[str]:
    rest = len(faults) - limit
    return faults if rest <= 0 else [*faults[:limit], f"and {rest} more of this kind"]


def _fault_of(place: Place, access: Access) -> str | None:
    path = access.path
    if access.kind == CONNECT:
        own = [f'sin_port=htons({port}), sin_addr=inet_addr("127.0.0.1")' for port in place.ports]
        return None if any(one in path for one in own) else f"connected to {path}"
    if access.kind == EXECUTE:
        return f"executed {path}" if path.startswith(str(place.root)) else None
    if path.startswith(tuple(filter(None, _NAMELESS))) or not path:
        return None
    if access.kind == READ:
        allowed = [*map(str, place.may_read), *_READABLE]
        return None if _below(path, allowed) and not _below(path, _NEVER) else f"read {_short(place, path)}"
    if _below(path, [*map(str, place.may_write), *_WRITABLE]) or re.match(r"/proc/\d+/", path):
        return None
    return f"wrote {_short(place, path)}"


def _below(path: str, folders) -> bool:
    return any(path == folder or path.startswith(f"{folder.rstrip('/')}/") for folder in folders)


def _short(place: Place, path: str) -> str:
    return path.removeprefix(f"{place.root}/")


def _by_leaks(place: Place, command: Command, outcome: Outcome) -> list[str]:
    tokens = [place.token.encode(), place.token.replace("-", "_").encode(), *command.unsaid]
    own = (f"{place.secret}/", f"{place.victim}/")
    files = [path for path in canary.leaks(place.may_write, tokens) if not path.startswith(own)]
    faults = [f"the secret is in {_short(place, path)}" for path in files]
    if any(token in outcome.stdout + outcome.stderr for token in tokens):
        faults.append("the secret is in its messages")
    return faults


def _remove(folder: Path) -> None:
    for path in [folder, *folder.rglob("*")]:
        if path.is_dir() and not path.is_symlink():
            path.chmod(stat.S_IRWXU)
    shutil.rmtree(folder, ignore_errors=True)
