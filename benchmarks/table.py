"""Table: a report as lines of text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks.thresholds import NOT_MEASURED
from benchmarks.versus import MODES


def table(report: dict[str, Any]) -> str:
    """The whole report; figures that were measured several times are shown with their spread."""
    parts = (
        _conditions, _rates, _stages, _floor, _materials, _costs, _start_up, _session, _versus, _verdicts,
    )  # fmt: skip
    return "\n".join(line for part in parts for line in part(report))


def figure(value: dict[str, float], unit: str = "") -> str:
    """The median of a spread, and half the range in percent of it."""
    half = (value["high"] - value["low"]) / 2 / value["median"] if value["median"] else 0.0
    around = f" ±{100 * half:.0f} %" if value["count"] > 1 else ""
    return f"{_short(value['median'])}{unit}{around}"


def _conditions(report) -> Iterator[str]:
    conditions = report["conditions"]
    width, height = conditions["resolution"]
    versions = (
        f"blendgen {conditions['blendgen']}, Blender {conditions['blender']}, Python {conditions['python']}"
    )
    yield f"{versions}, {conditions['machine']}, {conditions['processor']}, {conditions['date']}"
    yield (
        f"{conditions['scene']} at {width} x {height}, {conditions['samples']} samples, "
        f"{conditions['cores']} cores; {conditions['rounds']} rounds of {conditions['shots']} timed shots"
    )
    if conditions["rounds"] > 1:
        yield f"noise: the same run differed by up to {100 * report['noise']:.0f} % from round to round"
    else:
        yield "noise: unknown, because there was only one round"


def _rates(report) -> Iterator[str]:
    rows = [("exposures", "workers", "cores", "images/s", "shots/s", "idle", "memory: parent, workers")]
    for rate in report["rates"]:
        workers_mb = " ".join(f"{peak:.0f}" for peak in rate["worker_peaks_mb"])
        rows.append(
            (
                str(rate["exposures"]),
                str(rate["workers"]),
                str(rate["cores"]),
                figure(rate["images_per_s"]),
                figure(rate["shots_per_s"]),
                _share(rate["idle"]),
                f"{rate['parent_peak_mb']:.0f} MB, {workers_mb} MB",
            )
        )
    yield from _titled("Rates (whole runs without their start; peak memory)", rows)


def _stages(report) -> Iterator[str]:
    for part in report["stages"]:
        rows = [("stage", "wall ms/image", "core ms/image", "of the wall", "of the cores")]
        for name, stage in part["stages"].items():
            rows.append(
                (
                    name,
                    _short(stage["wall_ms_per_image"]),
                    _short(stage["core_ms_per_image"]),
                    _share(stage["share_of_wall"]),
                    _share(stage["share_of_cores"]),
                )
            )
        rows.append(("idle", "", "", "", _share(part["idle_share_of_cores"])))
        exposures = part["exposures"]
        plural = "s" if exposures > 1 else ""
        title = f"Stages ({exposures} exposure{plural} per shot, one worker, one step after the other)"
        yield from _titled(title, rows)


def _floor(report) -> Iterator[str]:
    floor, ratios = report["floor"], report["ratios"]
    rows = [
        ("Cycles' sampling of a shot, all cores", figure(floor["sampling_ms_per_shot"], " ms")),
        ("wall time of a shot, all workers", figure(floor["wall_ms_per_shot"], " ms")),
        *((_RATIOS[name], figure(value, " x")) for name, value in ratios.items()),
    ]
    yield from _titled("The floor, and ratios within a round", rows)


_RATIOS = {
    "exposures_8_to_1": "images/s, 8 exposures per shot to 1",
    "wall_to_floor": "wall to sampling",
    "all_workers_to_one": "images/s, all workers to one worker",
    "two_cores_to_one": "images/s, 2 workers on 2 cores to 1 on 1",
}


def _materials(report) -> Iterator[str]:
    rows = [("scene", "own", "plain", "own to plain")]
    for one in report["materials"]:
        times = (f"{1000 * one[key]:.0f} ms" for key in ("own_s", "plain_s"))
        rows.append((one["scene"], *times, f"{one['ratio']:.2f} x"))
    if report["materials"]:
        yield from _titled("Sampling of a shot, one core, with its own and with plain materials", rows)


def _costs(report) -> Iterator[str]:
    for axis, points in report["costs"].items():
        rows = [(str(point["value"]), figure(point["image_ms"], " ms")) for point in points]
        suffix = ", loading included" if axis == "images" else ""
        yield from _titled(f"Cost of an image by {axis}{suffix}", rows)


def _start_up(report) -> Iterator[str]:
    spreads = report["start_up_s"]
    names = {
        "python": "python -c pass",
        "help": "blendgen --help",
        "first_image": "blendgen generate, to the first image",
    }
    rows = [(names[key], figure(value, " s")) for key, value in spreads.items()]
    yield from _titled("Start-up, warm caches", rows)


def _session(report) -> Iterator[str]:
    session = report["session"]
    rows = [
        ("growth of memory", f"{session['memory_growth_mb']:.1f} MB, to {session['memory_mb']:.0f} MB"),
        ("last quarter of the shots to the first quarter", f"{session['last_to_first_quarter']:.2f} x"),
        ("a shot", f"{_short(session['shot_ms'])} ms"),
    ]
    yield from _titled(f"A session of {session['shots']} small shots in one process", rows)


def _versus(report) -> Iterator[str]:
    versus = report["blenderproc"]
    if versus is None:
        return
    versions = versus["versions"]
    rows = [(MODES[mode], figure(rate, " images/s")) for mode, rate in versus["images_per_s"].items()]
    rows += [(name.replace("_", " "), figure(value, " x")) for name, value in versus["ratios"].items()]
    rows += [(f"written by {program}", labels) for program, labels in versus["labels"].items()]
    title = (
        f"Compared with BlenderProc {versions['blenderproc']} on Blender {versions['blender']}, same shots"
    )
    yield from _titled(title, rows)


def _verdicts(report) -> Iterator[str]:
    rows = []
    for one in report["verdicts"]:
        value = NOT_MEASURED if one["value"] is None else f"{one['value']:.3g} {one['unit']}"
        sign = "at least" if one["at_least"] else "at most"
        rows.append((one["verdict"], one["name"], value, f"{sign} {one['limit']:g} {one['unit']}"))
    yield from _titled("Thresholds", rows)


def _titled(title: str, rows: list[tuple[str, ...]]) -> Iterator[str]:
    yield ""
    yield title
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  " + "  ".join(cells).rstrip()


def _share(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f} %"


def _short(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
