"""Table: a report as lines of text, for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks.thresholds import NOT_MEASURED
from benchmarks.versus import WAYS


def table(report: dict[str, Any]) -> str:
    """The whole report; what was measured several times with its spread."""
    parts = [_conditions, _rates, _stages, _floor, _costs, _start_up, _session, _versus, _verdicts]
    return "\n".join(line for part in parts for line in part(report))


def figure(value: dict[str, float], unit: str = "") -> str:
    """A spread: its median, and half the range in percent of it."""
    half = (value["high"] - value["low"]) / 2 / value["median"] if value["median"] else 0.0
    around = f" ±{100 * half:.0f} %" if value["count"] > 1 else ""
    return f"{_short(value['median'])}{unit}{around}"


def _conditions(report) -> Iterator[str]:
    told = report["conditions"]
    width, height = told["resolution"]
    versions = f"blendgen {told['blendgen']}, Blender {told['blender']}, Python {told['python']}"
    yield f"{versions}, {told['machine']}"
    yield (
        f"{told['scene']} at {width} x {height}, {told['samples']} samples, {told['cores']} cores; "
        f"{told['rounds']} rounds of {told['shots']} timed shots"
    )
    if told["rounds"] > 1:
        yield f"noise: the same run differed by up to {100 * report['noise']:.0f} % from round to round"
    else:
        yield "noise: unknown, as there was one round"


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
    yield from _titled("Rates (whole runs, once under way; peak memory)", rows)


def _stages(report) -> Iterator[str]:
    for told in report["stages"]:
        rows = [("stage", "wall ms/image", "core ms/image", "of the wall", "of the cores")]
        for name, stage in told["stages"].items():
            rows.append(
                (
                    name,
                    _short(stage["wall_ms_per_image"]),
                    _short(stage["core_ms_per_image"]),
                    _share(stage["share_of_wall"]),
                    _share(stage["share_of_cores"]),
                )
            )
        rows.append(("idle", "", "", "", _share(told["idle_share_of_cores"])))
        exposures = told["exposures"]
        title = (
            f"Stages ({exposures} exposure{'s' * (exposures > 1)} a shot, one worker, one after the other)"
        )
        yield from _titled(title, rows)


def _floor(report) -> Iterator[str]:
    told, ratios = report["floor"], report["ratios"]
    rows = [
        ("Cycles' sampling of a shot, all cores", figure(told["sampling_ms_per_shot"], " ms")),
        ("wall time of a shot, all workers", figure(told["wall_ms_per_shot"], " ms")),
        *((_RATIOS[name], figure(value, " x")) for name, value in ratios.items()),
    ]
    yield from _titled("The floor, and ratios within a round", rows)


_RATIOS = {
    "exposures_8_to_1": "images/s, 8 exposures a shot to 1",
    "wall_to_floor": "wall to sampling",
    "all_workers_to_one": "images/s, all workers to one worker",
    "two_cores_to_one": "images/s, 2 workers on 2 cores to 1 on 1",
}


def _costs(report) -> Iterator[str]:
    for axis, points in report["costs"].items():
        rows = [(str(point["value"]), figure(point["image_ms"], " ms")) for point in points]
        suffix = ", loading included" if axis == "images" else ""
        yield from _titled(f"Cost of an image by {axis}{suffix}", rows)


def _start_up(report) -> Iterator[str]:
    told = report["start_up_s"]
    names = {
        "python": "python -c pass",
        "help": "blendgen --help",
        "first_image": "blendgen generate, to the first image",
    }
    rows = [(names[key], figure(value, " s")) for key, value in told.items()]
    yield from _titled("Start-up, warm caches", rows)


def _session(report) -> Iterator[str]:
    told = report["session"]
    rows = [
        ("growth of memory", f"{told['memory_growth_mb']:.1f} MB, to {told['memory_mb']:.0f} MB"),
        ("last quarter of the shots to the first", f"{told['last_to_first_quarter']:.2f} x"),
        ("a shot", f"{_short(told['shot_ms'])} ms"),
    ]
    yield from _titled(f"A session of {told['shots']} small shots in one process", rows)


def _versus(report) -> Iterator[str]:
    told = report["blenderproc"]
    if told is None:
        return
    versions = told["versions"]
    rows = [(WAYS[way], figure(rate, " images/s")) for way, rate in told["images_per_s"].items()]
    rows += [(name.replace("_", " "), figure(value, " x")) for name, value in told["ratios"].items()]
    rows += [(f"written by {who}", what) for who, what in told["labels"].items()]
    title = f"Against BlenderProc {versions['blenderproc']} on Blender {versions['blender']}, same shots"
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
