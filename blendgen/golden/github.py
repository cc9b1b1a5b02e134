"""GitHub: annotations on lines of the spec, and the summary of a job.

In: a SmokeReport, or the Failure of a run without one. Out: workflow commands for stderr, and Markdown. Texts
come from strangers: they are escaped so that they can neither end a command nor add Markdown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from blendgen.files.names import printable
from blendgen.golden.failure import Failure
from blendgen.golden.findings import NO_GOLDEN, Finding, SmokeReport, Status

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
    for check in report.checks:
        if check.skipped:
            kind = "error" if check.name == NO_GOLDEN else "warning"
            title = f"blendgen smoke: {check.name} left out"
            yield _command(kind, workspace, report.spec, 1, title, check.findings[0].text)


def failure_annotations(failure: Failure, workspace: Path) -> Iterator[str]:
    """Workflow commands for what ended a run, on the lines of the spec that it names."""
    for problem in failure.problems[:_MOST_ANNOTATIONS]:
        title = f"blendgen smoke: {problem.field}" if problem.field else "blendgen smoke"
        yield _command("error", workspace, problem.file, max(1, problem.line), title, problem.message)


def summary(report: SmokeReport) -> str:
    """Markdown: a table of the checks, and what they found. GitHub shows neither local files nor data URIs,
    so the montage is named; the action links the artifact that holds it."""
    lines = [f"### blendgen smoke: {_markdown(report.name)}: {_state(report)}", "", *_failed_lines(report)]
    lines += ["| check | result | what |", "| --- | --- | --- |"]
    for check in report.checks:
        what = _markdown(check.findings[0].text) if check.skipped else check.note
        lines.append(f"| {check.name} | {_SYMBOLS[check.status]} | {what} |")
    lines += [""] * bool(report.left_out) + [f"- left out: {_markdown(text)}" for text in report.left_out]
    steps = ", ".join(f"{step} {seconds:.1f} s" for step, seconds in report.seconds.items())
    tier = [f"{_markdown(report.tier_text)}."] if report.tier_text else []
    lines += ["", " ".join([f"{len(report.images)} images of {_markdown(report.spec)}; {steps}.", *tier])]
    if report.output is not None:
        lines.append("montage.png in the output folder shows golden, actual and difference of each image.")
    return "\n".join(lines) + "\n\n"


def failure_summary(failure: Failure) -> str:
    """Markdown, as summary."""
    lines = [f"### blendgen smoke: {_markdown(failure.name)}: ❌ did not run to its end", ""]
    lines += [f"- {_markdown(str(problem))}" for problem in failure.problems[:_MOST_LINES]]
    lines += [f"- and {len(failure.problems) - _MOST_LINES} more"] * (len(failure.problems) > _MOST_LINES)
    return "\n".join(lines) + "\n\n"


def _state(report: SmokeReport) -> str:
    if report.passed:
        return "✅ passed" if report.has_golden else "no golden files yet"
    failed = sum(check.status == Status.FAILED for check in report.checks)
    return f"❌ {failed} of {len(report.checks)} checks failed"


def _failed_lines(report: SmokeReport) -> Iterator[str]:
    """What differs, with the lines of the spec, and what to do if it is wanted; nothing if all passed."""
    failed = [*report.failed()]
    for check, finding in failed[:_MOST_LINES]:
        yield f"- **{check.name}**: {_markdown(finding.text)}{_markdown(_place(report, finding))}"
    yield from [f"- and {len(failed) - _MOST_LINES} more"] * (len(failed) > _MOST_LINES)
    if failed and report.has_golden:
        way_out = f"blendgen smoke {report.spec} --update, look at {report.golden}, and commit it"
        yield f"\nIf this is what you want, run {_markdown(way_out)}."
    yield from [""] * bool(failed)


def _place(report: SmokeReport, finding: Finding) -> str:
    """The line of the spec, if it is about one."""
    file, line = report.place(finding)
    return f" ({file}:{line})" if finding.path else ""


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
