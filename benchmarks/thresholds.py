"""Thresholds as data, and the verdicts on a report.

A threshold applies under the conditions for which it was set: the demo scene at 224 px and 8 samples, or a
long session. Under other conditions the figure is reported, and the verdict is "not judged".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.plan import STANDARD_RESOLUTION, STANDARD_SAMPLES
from benchmarks.versus import CALL_BY_CALL, MANY, ONE, THEIRS, described, ratio_of

_LONG_SESSION = 100
PASS, FAIL, NOT_JUDGED, NOT_MEASURED = "pass", "fail", "not judged", "not measured"


@dataclass(frozen=True)
class Threshold:
    """A limit of a figure.

    name: for the table; figure: key of report["figures"]; at_least: the limit is a minimum, not a maximum
    standard: applies only at the standard resolution and samples; session: applies only after a long session
    """

    name: str
    figure: str
    limit: float
    unit: str = ""
    at_least: bool = False
    standard: bool = True
    session: bool = False


@dataclass(frozen=True)
class Verdict:
    """A threshold and a figure; value: None if it was not measured; verdict: PASS, FAIL and so on"""

    name: str
    figure: str
    value: float | None
    limit: float
    unit: str
    at_least: bool
    verdict: str


def _against_blenderproc() -> Iterator[Threshold]:
    """The product changes from call to call; tuned or with key frames, BlenderProc has less to do."""
    for ours, call_by_call, others in ((ONE, 2.5, 1.3), (MANY, 16, 9)):
        for theirs in THEIRS:
            limit = call_by_call if theirs == CALL_BY_CALL else others
            yield Threshold(described(ours, theirs), ratio_of(ours, theirs), limit, "x", at_least=True)


THRESHOLDS = (
    Threshold("images/s, 8 exposures per shot compared with 1", "exposures_8_to_1", 6, "x", at_least=True),
    Threshold("denoise and develop one of 8 exposures, one core", "denoise_develop_ms", 12, "ms"),
    Threshold("develop, encode and write one of 8 exposures, one core", "develop_encode_ms", 20, "ms"),
    Threshold(
        "wall time compared with Cycles' own sampling, 1 exposure per shot", "wall_to_floor", 1.15, "x"
    ),
    Threshold(
        "2 workers on two cores compared with 1 on one core", "two_cores_to_one", 1.8, "x", at_least=True
    ),
    Threshold(
        "sampling compared with plain materials, the slowest scene",
        "materials_to_plain",
        1.25,
        "x",
        standard=False,
    ),
    *_against_blenderproc(),
    Threshold("start to first image, warm caches", "first_image_s", 2.5, "s"),
    Threshold("blendgen --help", "help_s", 0.3, "s", standard=False),
    Threshold(
        "growth of memory over a long session", "session_growth_mb", 30, "MB", standard=False, session=True
    ),
    Threshold(
        "last shots of it compared with its first",
        "session_slowdown",
        1.25,
        "x",
        standard=False,
        session=True,
    ),
)


def verdicts(report: dict[str, Any]) -> list[dict[str, Any]]:
    """One verdict for each threshold, as plain values."""
    return [asdict(_verdict(threshold, report)) for threshold in THRESHOLDS]


def failed(report: dict[str, Any]) -> list[str]:
    """The names of the thresholds that are not met."""
    return [one["name"] for one in report["verdicts"] if one["verdict"] == FAIL]


def _verdict(threshold: Threshold, report: dict[str, Any]) -> Verdict:
    value = report["figures"].get(threshold.figure)
    if value is None:
        word = NOT_MEASURED
    elif not _applies(threshold, report["conditions"]):
        word = NOT_JUDGED
    else:
        reached = value >= threshold.limit if threshold.at_least else value <= threshold.limit
        word = PASS if reached else FAIL
    return Verdict(
        threshold.name, threshold.figure, value, threshold.limit, threshold.unit, threshold.at_least, word
    )


def _applies(threshold: Threshold, conditions: dict[str, Any]) -> bool:
    size, samples = tuple(conditions["resolution"]), conditions["samples"]
    if conditions["quick"] or (threshold.session and conditions["session_shots"] < _LONG_SESSION):
        return False
    return not threshold.standard or (size, samples) == (STANDARD_RESOLUTION, STANDARD_SAMPLES)
