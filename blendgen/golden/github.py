"""GitHub: annotations on lines of the spec, and the summary of a job.

In: a SmokeReport, or the faults of a spec. Out: workflow commands for stderr, and Markdown. Texts come from
strangers: they are escaped so that they can neither end a command nor add Markdown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from blendgen.errors import Problem
from blendgen.files.names import printable
from blendgen.golden.findings import SmokeReport, Status

_MOST_ANNOTATIONS = 10  # GitHub shows ten errors of a step
_MOST_LINES = 60
_SYMBOLS = {Status.PASSED: "✅ passed", Status.FAILED: "❌ failed", Status.SKIPPED: "⏭️ left out"}
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>()#+!|~$@&:])")


def report_annotations(report: SmokeReport, workspace: Path) -> Iterator[str]:
    """Workflow commands; workspace: folder of the repository."""
    failed = [*report.failed()]
    for check, finding in failed[:_MOST_ANNOTATIONS]:
        file, line = report.place(finding)
        yield _command("error", workspace, file, line, f"blendgen smoke: {check.name}", finding.text)
    if len(failed) > _MOST_ANNOTATIONS:
        more = f"and {len(failed) - _MOST_ANNOTATIONS} more findings; see the summary of this job"
        yield _command("notice", workspace, report.spec, 1, "blendgen smoke", more)
    for text in report.left_out:
        yield _command("warning", workspace, report.spec, 1, "blendgen smoke: left out", text)


def spec_annotations(problems: Iterable[Problem], workspace: Path) -> Iterator[str]:
    """Workflow commands for the faults of a spec."""
    for problem in [*problems][:_MOST_ANNOTATIONS]:
        title = f"blendgen: {problem.field}" if problem.field else "blendgen"
        yield _command("error", workspace, problem.file, max(1, problem.line), title, problem.message)


def summary(report: SmokeReport) -> str:
    """Markdown: a table of the checks, and what they found. GitHub shows neither local files nor data URIs,
    so the montage is named; the action links the artifact that holds it."""
    state = "passed" if report.passed else "failed"
    if report.passed and not report.has_golden:
        state = "no golden files yet"
    lines = [f"### blendgen smoke: {_markdown(report.name)}: {state}", ""]
    lines += ["| check | result | what |", "| --- | --- | --- |"]
    lines += [f"| {check.name} | {_SYMBOLS[check.status]} | {check.note} |" for check in report.checks]
    lines += ["", _markdown(report.tier_text or "no golden files to compare with"), ""]
    failed = [*report.failed()]
    lines += [f"- **{check.name}**: {_markdown(finding.text)}" for check, finding in failed[:_MOST_LINES]]
    lines += [f"- and {len(failed) - _MOST_LINES} more"] * (len(failed) > _MOST_LINES)
    lines += [f"- left out: {_markdown(text)}" for text in report.left_out]
    steps = ", ".join(f"{step} {seconds:.1f} s" for step, seconds in report.seconds.items())
    lines += ["", f"{len(report.images)} images; {steps}"]
    if report.output is not None:
        lines.append("montage.png in the output folder shows golden, actual and difference of each image")
    return "\n".join(lines) + "\n\n"


def _command(kind: str, workspace: Path, file: str, line: int, title: str, text: str) -> str:
    place = f"file={_property(_inside(workspace, file))},line={line},title={_property(title)}"
    return f"::{kind} {place}::{_data(text)}"


def _inside(workspace: Path, file: str) -> str:
    """The path relative to the repository, as annotations want it."""
    path = Path(file).resolve()
    return (
        path.relative_to(workspace.resolve()).as_posix() if path.is_relative_to(workspace.resolve()) else file
    )


def _data(text: str) -> str:
    escaped = printable(text).replace("%", "%25")
    return escaped.replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _markdown(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", printable(text).replace("\n", " "))
