"""Thresholds: what the benchmark must reach, as data, and the verdicts on a report.

A threshold holds for what it was set for: the demo scene at 224 px and 8 samples, or a session that
is long enough. Measured otherwise, its figure is told and not judged.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.plan import STANDARD_RESOLUTION, STANDARD_SAMPLES
from benchmarks.versus import MANY_BESIDE, ONE_BESIDE

_LONG_SESSION = 100
PASS, FAIL, NOT_JUDGED, NOT_MEASURED = "pass", "fail", "not judged", "not measured"


@dataclass(frozen=True)
class Threshold:
    """name: for people; figure: key of report["figures"]; at_least: else at most

    standard: judged at the standard size and quality alone; session: after a long session alone
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
    """value: None where it was not measured; verdict: one of the four words above"""

    name: str
    figure: str
    value: float | None
    limit: float
    unit: str
    at_least: bool
    verdict: str


THRESHOLDS = (
    Threshold("images/s, 8 exposures a shot against 1", "exposures_8_to_1", 6, "x", at_least=True),
    Threshold("develop, encode and write one of 8 exposures, one core", "develop_encode_ms", 20, "ms"),
    Threshold("wall time against Cycles' own sampling, 1 exposure a shot", "wall_to_floor", 1.15, "x"),
    Threshold("2 workers on two cores against 1 on one core", "two_cores_to_one", 1.8, "x", at_least=True),
    Threshold("images/s, 1 exposure a shot, of BlenderProc's", ONE_BESIDE, 1.3, "x", at_least=True),
    Threshold("images/s, 8 exposures a shot, of BlenderProc's", MANY_BESIDE, 8, "x", at_least=True),
    Threshold("start to first image, warm caches", "first_image_s", 4, "s"),
    Threshold("blendgen --help", "help_s", 0.3, "s", standard=False),
    Threshold(
        "growth of memory over a long session", "session_growth_mb", 30, "MB", standard=False, session=True
    ),
    Threshold(
        "last shots of it against its first", "session_slowdown", 1.25, "x", standard=False, session=True
    ),
)


def verdicts(report: dict[str, Any]) -> list[dict[str, Any]]:
    """One for each threshold, as plain values."""
    return [asdict(_verdict(threshold, report)) for threshold in THRESHOLDS]


def failed(report: dict[str, Any]) -> list[str]:
    """Names of what was judged and did not pass."""
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
