"""Programs in place of blendgen and of the commands of Slurm, which write down how they were called."""

from __future__ import annotations

import os
from pathlib import Path

from tests.waiting import wait_until

# $CALLS: folder of what is written down; $SECONDS_EACH, $CODE: how long blendgen runs, and how it exits
_PROGRAM = """\
#!/bin/bash
stopped() { echo "$1" >>"$CALLS/signals"; sleep 0.1; exit "$2"; }  # a while later, as shots are finished
trap 'stopped SIGTERM 143' TERM
trap 'stopped SIGUSR1 75' USR1
name=${0##*/} text=
[ "$name" = sbatch ] && text=$(cat)
printf '%s\\0' "$@" "$text" >"$CALLS/.$$"
mkdir -p "$CALLS/$name"
number=0
until ln "$CALLS/.$$" "$CALLS/$name/$number" 2>/dev/null; do number=$((number + 1)); done
[ "$name" = sbatch ] && echo $((number + 1))
[ "$name" = blendgen ] || exit 0
[ -z "$SECONDS_EACH" ] || read -r -t "$SECONDS_EACH" <> <(:)
exit "${CODE:-0}"
"""


def make_programs(folder: Path, *names: str) -> dict[str, str]:
    """Programs of these names; returns the environment in which they are found."""
    for name in names:
        (folder / name).write_text(_PROGRAM)
        (folder / name).chmod(0o755)
    (folder / "calls").mkdir()
    return {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "CALLS": str(folder / "calls")}


def calls(environment: dict[str, str], name: str) -> list[tuple[list[str], str]]:
    """(arguments, stdin without its last newlines) of each call, in order."""
    folder = Path(environment["CALLS"]) / name
    files = sorted(folder.iterdir(), key=lambda file: int(file.name)) if folder.exists() else []
    fields = [os.fsdecode(file.read_bytes()).split("\0") for file in files]
    return [(arguments, text) for *arguments, text, _ in fields]


def wait_for_call(environment: dict[str, str], name: str) -> None:
    wait_until(lambda: calls(environment, name), what=name)
