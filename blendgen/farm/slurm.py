"""Slurm: a script that submits an array of shards, and a job that merges them.

In: a FarmJob and what a site wants of its jobs. Out: the text of a bash script. A shard asks for a new place
in the queue by itself when it stops early (exit code 75): Slurm's --requeue is for lost nodes and preemption
alone. The merge job starts after the shards whatever became of them: merge names those that are missing.
source: the manual pages sbatch(1) and scontrol(1) of Slurm
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from blendgen import __version__
from blendgen.errors import BlendgenError, ExitCode, SetupError, UsageError
from blendgen.farm.job import FarmJob, this_program
from blendgen.farm.shell import command_line

MAX_REQUEUES = 20
_SUBMIT_TIMEOUT_S = 300
_ELSEWHERE = "run this where sbatch works, or write the script with --script"
_TIME = re.compile(r"(?:(\d{1,4})-)?(\d{1,6})(?::(\d{1,2}))?(?::(\d{1,2}))?", re.ASCII)
_VALUE = re.compile(r"[\w.,:@=+-]+", re.ASCII)
_LOGS = re.compile(r"[\w ./,:@=+%-]+", re.ASCII)
_LITERAL = re.compile(r"[\w.,:;/@=+*%&()\[\]-]*", re.ASCII)
_OPTION = re.compile(r"--?[A-Za-z][ -~]*")

_SCRIPT = """\
#!/bin/bash
# Written by blendgen {version}. Submit with: bash FILE
# Submit it again after a failure: images that are there are not made again.
set -euo pipefail

shard_script() {{
cat <<'END_OF_SHARD_SCRIPT'
#!/bin/bash
{shard_options}

# Slurm sends USR1 to this shell alone; blendgen then finishes its shots and exits with {retry}
trap 'kill -USR1 $!' USR1
# Slurm sends TERM to all processes, and this one has to stay until blendgen has ended
trap : TERM
{generate} &
while kill -0 $! 2>/dev/null; do wait $!; done
wait $! && code=0 || code=$?
# 138: USR1 came before blendgen was ready for it
if {{ [ "$code" -eq {retry} ] || [ "$code" -eq 138 ]; }} &&
  [ "${{SLURM_RESTART_COUNT:-0}}" -lt {max_requeues} ]; then
  echo "exit code $code: goes on when Slurm starts it again" >&2
  scontrol requeue "$SLURM_JOB_ID"
fi
exit "$code"
END_OF_SHARD_SCRIPT
}}

merge_script() {{
cat <<'END_OF_MERGE_SCRIPT'
#!/bin/bash
{merge_options}

exec {merge}
END_OF_MERGE_SCRIPT
}}

shards=$(shard_script | sbatch --parsable)
merge=$(merge_script | sbatch --parsable --dependency="afterany:${{shards%%;*}}") || {{
  scancel "${{shards%%;*}}"
  exit 1
}}
echo "shards ${{shards%%;*}}"
echo "merge ${{merge%%;*}}"
"""


@dataclass(frozen=True)
class SlurmOptions:
    """What is special to Slurm and to a site.

    time: limit of a shard, in Slurm's notation; max_running: shards at the same time, None for all
    logs: existing folder of the log files; None for the one in which the script is submitted
    sbatch: further options of sbatch, such as "--exclude=node7"
    """

    time: str = "4:00:00"
    partition: str | None = None
    account: str | None = None
    max_running: int | None = None
    max_requeues: int = MAX_REQUEUES
    logs: Path | None = None
    sbatch: Sequence[str] = ()


def slurm_script(job: FarmJob, options: SlurmOptions) -> str:
    """The script that submits a job; raises UsageError for what sbatch could not read."""
    _check_time(options.time, job.notice_s)
    if options.max_requeues < 0:
        raise UsageError(f"requeues: expected 0 or more, got {options.max_requeues}")
    blendgen = job.words(this_program())
    generate = command_line([*blendgen, *job.generate(str(job.spec), str(job.folder))])
    return _SCRIPT.format(
        version=__version__,
        shard_options=_directives(_shard_options(job, options)),
        generate=f'{generate} --shard "$SLURM_ARRAY_TASK_ID/{job.shards}"',
        retry=int(ExitCode.RETRY),
        max_requeues=options.max_requeues,
        merge_options=_directives(_merge_options(job, options)),
        merge=command_line([*blendgen, *job.merge(str(job.folder))]),
    )


def submit(script: str) -> list[tuple[str, str]]:
    """Run a script that slurm_script returned; [("shards", job id), ("merge", job id)].

    raises: SetupError where Slurm is missing or refuses a job
    """
    try:
        done = subprocess.run(
            ["bash", "-s"], input=script, capture_output=True, text=True, timeout=_SUBMIT_TIMEOUT_S
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SetupError(f"sbatch cannot be run: {error}; {_ELSEWHERE}") from None
    lines = [line.partition(" ") for line in done.stdout.splitlines()]
    if done.returncode:
        reason = done.stderr.strip() or done.stdout.strip()
        raise SetupError(f"Slurm did not take the job: {reason}\n{_ELSEWHERE}")
    if [name for name, _, _ in lines] != ["shards", "merge"]:
        raise BlendgenError(f"Slurm took the job, but its answer was not understood: {done.stdout.strip()}")
    return [(name, number) for name, _, number in lines]


def _shard_options(job: FarmJob, options: SlurmOptions) -> list[str]:
    running = options.max_running
    if running is not None and running < 1:
        raise UsageError(f"max running: expected at least 1 shard, got {running}")
    return [
        f"--job-name={job.name}",
        f"--array=0-{job.shards - 1}" + (f"%{running}" if running is not None else ""),
        f"--cpus-per-task={job.cpus}",
        f"--mem={job.memory_mib}M",
        *([f"--gres=gpu:{job.gpus}"] if job.gpus else []),
        f"--time={options.time}",
        f"--signal=B:USR1@{job.notice_s}",
        *_site_options(job, options, "%A_%a"),
    ]


def _merge_options(job: FarmJob, options: SlurmOptions) -> list[str]:
    return [
        f"--job-name={job.name}-merge",
        "--cpus-per-task=1",
        "--mem=2048M",
        f"--time={options.time}",
        *_site_options(job, options, "merge-%j"),
    ]


def _site_options(job: FarmJob, options: SlurmOptions, log: str) -> list[str]:
    """Those of both jobs; log: what distinguishes the names of the log files."""
    named = [("partition", options.partition), ("account", options.account)]
    for field, value in named:
        if value is not None and not _VALUE.fullmatch(value):
            raise UsageError(f"{field}: expected a name of Slurm, got {value!r}")
    for option in options.sbatch:
        if not _OPTION.fullmatch(option):
            raise UsageError(f"sbatch: expected an option such as --exclude=node7, got {option!r}")
    return [
        "--requeue",
        "--open-mode=append",
        f"--output={_log_folder(options.logs)}{job.name}-{log}.log",
        *(f"--{field}={value}" for field, value in named if value is not None),
        *options.sbatch,
    ]


def _log_folder(logs: Path | None) -> str:
    """The folder as sbatch reads it, with % doubled; "" for the working directory."""
    if logs is None:
        return ""
    text = str(logs.absolute())
    if logs.exists() and not logs.is_dir():
        raise UsageError(f"logs: is not a folder: {text!r}")
    if not _LOGS.fullmatch(text):
        raise UsageError(f"logs: sbatch cannot read the name of this folder, choose another one: {text!r}")
    return text.replace("%", "%%") + "/"


def _directives(options: Iterable[str]) -> str:
    return "\n".join(f"#SBATCH {_directive(option)}" for option in options)


def _directive(option: str) -> str:
    """An option as sbatch reads it from a script, where quotes keep what they do not contain together."""
    name, equals, value = option.partition("=")
    if not equals or _LITERAL.fullmatch(value):
        return option
    quote = next((quote for quote in "'\"" if quote not in value), None)
    if quote is None or "\\" in value:
        raise UsageError(
            f"sbatch: an option with both kinds of quotes or a backslash has no place in a script: {option}"
        )
    return f"{name}={quote}{value}{quote}"


def _check_time(text: str, notice_s: int) -> None:
    """raises UsageError for a time that is not Slurm's, or that ends before the signal comes."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise UsageError(f"time: expected Slurm's notation, such as 4:00:00 or 2-00:00:00, got {text!r}")
    if _seconds(*match.groups()) <= notice_s:
        raise UsageError(f"time: {text} is over before the notice of {notice_s} s; give the shards more time")


def _seconds(days: str | None, first: str, second: str | None, third: str | None) -> int:
    """Of D-H[:M[:S]], H:M:S, M:S or M."""
    numbers = [int(part) for part in (first, second, third) if part is not None]
    if days is not None or len(numbers) == 3:
        hours, minutes, seconds = (*numbers, 0, 0)[:3]
        return ((int(days or 0) * 24 + hours) * 60 + minutes) * 60 + seconds
    minutes, seconds = (*numbers, 0)[:2]
    return minutes * 60 + seconds
