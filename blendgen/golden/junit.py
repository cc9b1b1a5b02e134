"""JUnit: a smoke run as the XML that CI systems show as tests: one test case for each check.

In: a SmokeReport, or the Failure of a run without one. Out: bytes that fit the schema of Jenkins' xUnit
plugin (junit-10.xsd) and GitLab's reader.
"""

from __future__ import annotations

from xml.etree import ElementTree

from blendgen.files.names import printable
from blendgen.golden.failure import Failure
from blendgen.golden.findings import Check, SmokeReport, Status

_MARK = "# Written by blendgen smoke"


def junit_xml(report: SmokeReport) -> bytes:
    """The suite with all checks; a step that has no check is a property."""
    statuses = [check.status for check in report.checks]
    counts = {
        "tests": str(len(statuses)),
        "failures": str(statuses.count(Status.FAILED)),
        "errors": "0",
    }
    total = {**counts, "time": f"{sum(report.seconds.values()):.3f}"}
    skipped = {"skipped": str(statuses.count(Status.SKIPPED)), "file": _text(report.spec)}
    root, suite = _suite(report.name, total, skipped)
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in _properties(report):
        ElementTree.SubElement(properties, "property", {"name": name, "value": _text(value)})
    for check in report.checks:
        _add_case(suite, report, check)
    return _document(root)


def failure_xml(failure: Failure) -> bytes:
    """A suite with one case, which failed: the schema has no errors in cases."""
    total = {"tests": "1", "failures": "1", "errors": "0", "time": "0.000"}
    root, suite = _suite(failure.name, total, {"skipped": "0", "file": _text(failure.spec)})
    case = {"classname": f"smoke.{_text(failure.name)}", "name": "run", "time": "0.000"}
    element = ElementTree.SubElement(suite, "testcase", case)
    first, *_ = failure.message.split("\n")
    reason = ElementTree.SubElement(element, "failure", {"message": _text(first)})
    reason.text = _text("\n".join(map(str, failure.problems)))
    return _document(root)


def _suite(
    name: str, total: dict[str, str], more: dict[str, str]
) -> tuple[ElementTree.Element, ElementTree.Element]:
    """The root, and the suite in it."""
    root = ElementTree.Element("testsuites", {"name": "blendgen smoke", **total})
    return root, ElementTree.SubElement(root, "testsuite", {"name": _text(name), **total, **more})


def _document(root: ElementTree.Element) -> bytes:
    body = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<!-- {_MARK} -->\n{body}\n'.encode()


def _properties(report: SmokeReport) -> list[tuple[str, str]]:
    steps = [(f"seconds {step}", f"{seconds:.2f}") for step, seconds in report.seconds.items()]
    left_out = [("left out", text) for text in report.left_out]
    return [("tier", report.tier_text or "no golden files"), *steps, *left_out]


def _add_case(suite: ElementTree.Element, report: SmokeReport, check: Check) -> None:
    case = {"classname": f"smoke.{_text(report.name)}", "name": check.name, "time": f"{check.seconds:.3f}"}
    element = ElementTree.SubElement(suite, "testcase", case)
    if not check.findings:
        return
    kind = "skipped" if check.skipped else "failure"
    first, *_ = check.findings
    reason = ElementTree.SubElement(element, kind, {"message": _text(first.text)})
    reason.text = _text("\n".join(_line(report, check, number) for number in range(len(check.findings))))


def _line(report: SmokeReport, check: Check, number: int) -> str:
    finding = check.findings[number]
    file, line = report.place(finding)
    return f"{file}:{line}: {finding.text}"


def _text(text: str) -> str:
    """Without characters that XML 1.0 does not have."""
    return "".join(letter if _is_xml(letter) else "\ufffd" for letter in printable(text))


def _is_xml(letter: str) -> bool:
    return (
        letter in "\t\n" or " " <= letter <= "\ud7ff" or "\ue000" <= letter <= "\ufffd" or letter > "\uffff"
    )
