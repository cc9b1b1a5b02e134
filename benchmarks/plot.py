"""Plot: a report on one page, as PNG. Needs Matplotlib, which the extra `report` installs."""

from __future__ import annotations

import importlib.util
import io
from typing import Any

from benchmarks.versus import MODES

_WIDTH_IN, _HEIGHT_IN, _DPI = 15, 9, 110
_INK = "#30506e"


def can_plot() -> bool:
    """Whether Matplotlib is installed."""
    return importlib.util.find_spec("matplotlib") is not None


def plot(report: dict[str, Any]) -> bytes:
    """PNG bytes: rates, stages, costs, and the comparison with BlenderProc if there is one."""
    from matplotlib.figure import Figure

    page = Figure(figsize=(_WIDTH_IN, _HEIGHT_IN), dpi=_DPI, layout="constrained")
    conditions = report["conditions"]
    width, height = conditions["resolution"]
    page.suptitle(
        f"blendgen {conditions['blendgen']}, Blender {conditions['blender']}: {conditions['scene']}, "
        f"{width} x {height}, {conditions['samples']} samples, {conditions['cores']} cores"
    )
    axes = iter(page.subplots(2, 4).flat)
    _rates(next(axes), report)
    _stages(next(axes), report)
    for name, points in report["costs"].items():
        _cost(next(axes), name, points)
    _versus(next(axes), report["blenderproc"])
    for unused in axes:
        unused.axis("off")
    buffer = io.BytesIO()
    page.savefig(buffer, format="png", metadata={"Software": "blendgen benchmarks"})
    return buffer.getvalue()


def _rates(axes, report) -> None:
    rates = report["rates"]
    names = [f"{r['exposures']} exp., {r['workers']} w., {r['cores']} cores" for r in rates]
    _bars(axes, names, [r["images_per_s"] for r in rates])
    axes.set_title("images/s")


def _stages(axes, report) -> None:
    """Stacked shares of the cores' time."""
    names = [f"{part['exposures']} exp." for part in report["stages"]]
    below = [0.0] * len(names)
    for stage in (*report["stages"][0]["stages"], "idle"):
        shares = [
            part["idle_share_of_cores"] if stage == "idle" else part["stages"][stage]["share_of_cores"]
            for part in report["stages"]
        ]
        axes.bar(names, shares, bottom=below, label=stage, color="#dddddd" if stage == "idle" else None)
        below = [b + s for b, s in zip(below, shares, strict=True)]
    axes.set_title("share of the cores' time, one worker")
    axes.legend(fontsize=7)


def _cost(axes, name: str, points) -> None:
    values = [point["value"] for point in points]
    times = [point["image_ms"] for point in points]
    middle = [time["median"] for time in times]
    axes.fill_between(values, [t["low"] for t in times], [t["high"] for t in times], color=_INK, alpha=0.2)
    axes.plot(values, middle, marker="o", color=_INK)
    axes.set_title(f"ms per image by {name}")
    if name == "images":
        axes.set_xscale("log", base=2)
    axes.set_ylim(0, 1.1 * max(time["high"] for time in times))
    axes.set_xticks(values, [str(value) for value in values])


def _versus(axes, versus) -> None:
    if versus is None:
        axes.axis("off")
        return
    names = [mode.replace("_", " ") for mode in MODES]
    _bars(axes, names, [versus["images_per_s"][mode] for mode in MODES])
    axes.set_title(f"images/s, compared with BlenderProc {versus['versions']['blenderproc']}")


def _bars(axes, names, spreads) -> None:
    """Medians with the range of the rounds."""
    middle = [s["median"] for s in spreads]
    below = [s["median"] - s["low"] for s in spreads]
    above = [s["high"] - s["median"] for s in spreads]
    axes.barh(names, middle, xerr=[below, above], color=_INK, ecolor="#999999")
    axes.tick_params(axis="y", labelsize=7)
    axes.invert_yaxis()
