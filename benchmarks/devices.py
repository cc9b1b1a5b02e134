"""`python -m benchmarks.devices`: how many images a second the CPU and the GPUs of one machine make.

In: a scene, devices as `--device` takes them. Out: a table and JSON: images per second by device, resolution,
exposures and workers, each compared with the first device in the same round; the memory of the card; and what
differs between the images and labels that the devices make of the same shots.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any

import click

from benchmarks.pace import run
from benchmarks.plan import Variant, spec_of
from benchmarks.spread import ratio, spread
from blendgen import __version__, api
from blendgen.cli import run_program
from blendgen.cli.terminal import echo, say
from blendgen.engine.device import Device, parse_device
from blendgen.errors import BlendgenError, ExitCode
from blendgen.models.inventory import Inventory
from blendgen.spec.model import Spec
from blendgen.system.machine import cores
from blendgen.system.resources import resource_folder
from blendgen.system.wheel import blender_version
from blendgen.workers.gpu_probe import devices_for

_EEVEE = "eevee"
_COMPARED_SIDE = 224


@dataclass(frozen=True)
class Point:
    """One kind of run; side: of the images, in pixels"""

    side: int
    exposures: int
    workers: int


@dataclass
class CardMemory:
    """The most that was in use on all cards while it was watched, in MB; None without nvidia-smi."""

    peak_mb: float | None = None
    _ended: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def watched(self) -> Iterator[CardMemory]:
        thread = threading.Thread(target=self._watch, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._ended.set()
            thread.join()

    def _watch(self) -> None:
        while True:
            used = used_mb()
            if used is None:
                return
            self.peak_mb = max(used, self.peak_mb or 0.0)
            if self._ended.wait(0.5):
                return


def used_mb() -> float | None:
    """Memory in use on all NVIDIA cards; None where nvidia-smi does not say."""
    query = ["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(query, capture_output=True, text=True, timeout=20, check=True)
        return float(sum(float(line) for line in done.stdout.split()))
    except (OSError, subprocess.SubprocessError, ValueError):
        return None


@dataclass(frozen=True)
class Scene:
    path: Path
    spec: Spec
    inventory: Inventory

    def with_engine(self, engine: str) -> Scene:
        render = self.spec.render.model_copy(update={"engine": engine})
        return replace(self, spec=self.spec.model_copy(update={"render": render}))


@click.command("devices")
@click.option("--device", "names", multiple=True, default=("cpu", "optix", "cuda"), show_default=True,
              help=f"Device to measure, or {_EEVEE}; the others are compared with the first.")  # fmt: skip
@click.option("--scene", type=click.Path(path_type=Path), help="Spec to measure. Default: the demo.")
@click.option("--side", "sides", type=int, multiple=True, default=(224, 512, 1024), show_default=True)
@click.option("--exposures", type=int, multiple=True, default=(1, 8), show_default=True)
@click.option("--workers", type=int, multiple=True, default=(1, 2), show_default=True)
@click.option("--shots", type=click.IntRange(2), default=16, show_default=True, help="Timed in each run.")
@click.option("--rounds", type=click.IntRange(1), default=3, show_default=True)
@click.option("--compared", type=click.IntRange(0), default=24, show_default=True,
              help="Shots whose images and labels are compared.")  # fmt: skip
@click.option("-o", "--output", "dest", type=click.Path(path_type=Path), help="JSON file.")
def command(names, scene, sides, exposures, workers, shots, rounds, compared, dest) -> int:
    """Measure images per second on the devices of this machine; devices that it lacks are left out."""
    from blendgen.engine.blender.importing.inventory import measured_inventory

    path = scene or resource_folder("scenes") / "conveyor_phones.yaml"
    opened = api.load_spec(path)
    measured = Scene(path, opened.spec, measured_inventory(opened))
    devices, missing = available(names)
    for reason in missing:
        say(f"left out: {reason}")
    points = [Point(*values) for values in product(sides, exposures, workers)]
    runs = measure(measured, devices, points, shots, rounds)
    result = {
        "schema_version": 1, "blendgen": __version__, "blender": blender_version(), "cores": cores(),
        "scene": path.name, "rounds": rounds, "shots": shots,
        "devices": {name: list(map(str, one)) for name, one in devices.items()}, "left_out": missing,
        "rates": rates(runs), "compared": differences(measured, devices, compared),
    }  # fmt: skip
    echo(table(result))
    if dest is not None:
        dest.write_text(json.dumps(result, indent=1) + "\n")
    return ExitCode.OK


def available(names: Sequence[str]) -> tuple[dict[str, tuple[Device, ...]], list[str]]:
    """The devices that this machine has, by name, and why each of the others is missing."""
    devices, missing = {}, []
    for name in dict.fromkeys(names):
        try:
            devices[name] = devices_for(parse_device("cpu" if name == _EEVEE else name))
        except BlendgenError as error:
            missing.append(f"{name}: {error}")
    return devices, missing


def measure(
    scene: Scene, devices: dict[str, tuple[Device, ...]], points: Sequence[Point], shots: int, rounds: int
) -> dict[Point, dict[str, list[dict[str, Any]]]]:
    """By point and device: the runs of each round, in which the devices take turns."""
    runs: dict[Point, dict[str, list[dict[str, Any]]]] = {
        point: {name: [] for name in devices} for point in points
    }
    for number in range(rounds):
        for point in points:
            for name, own in devices.items():
                say(f"round {number + 1} of {rounds}: {name}, {point.side} px, K = {point.exposures}, "
                    f"{point.workers} workers")  # fmt: skip
                runs[point][name].append(_run(scene, name, own, point, shots))
    return runs


def _run(
    scene: Scene, name: str, devices: tuple[Device, ...], point: Point, shots: int
) -> dict[str, Any]:  # fmt: skip
    own = scene.with_engine(_EEVEE) if name == _EEVEE else scene
    variant = Variant(exposures=point.exposures, resolution=(point.side, point.side))
    before = used_mb()
    with CardMemory().watched() as memory:
        done = run(spec_of(own.spec, variant), own.inventory, shots, point.workers, devices=devices)
    card = None if memory.peak_mb is None or before is None else memory.peak_mb - before
    return {
        "images_per_s": done.pace.images_per_s, "busy": done.pace.busy, "card_mb": card,
        "first_image_s": done.stamps[0].at_s,
        "worker_mb": max(done.worker_peaks_bytes, default=0) / 2**20,
    }  # fmt: skip


def rates(runs: dict[Point, dict[str, list[dict[str, Any]]]]) -> list[dict[str, Any]]:
    """compared: images per second as a multiple of those of the first device, round by round"""
    rows = []
    for point, by_device in runs.items():
        base = [one["images_per_s"] for one in next(iter(by_device.values()))]
        for name, own in by_device.items():
            speeds = [one["images_per_s"] for one in own]
            cards = [one["card_mb"] for one in own if one["card_mb"] is not None]
            rows.append({
                **asdict(point), "device": name, "images_per_s": asdict(spread(speeds)),
                "compared": asdict(ratio(speeds, base)), "card_mb": max(cards, default=None),
                "first_image_s": min(one["first_image_s"] for one in own),
                "worker_mb": max(one["worker_mb"] for one in own),
            })  # fmt: skip
    return rows


def differences(
    scene: Scene, devices: dict[str, tuple[Device, ...]], shots: int
) -> dict[str, dict[str, Any]]:  # fmt: skip
    """What `blendgen diff` finds between the data sets of the first device and of each other one."""
    if not shots or len(devices) < 2:
        return {}
    result = {}
    with tempfile.TemporaryDirectory(prefix="blendgen-devices-") as place:
        made = {name: _made(scene, name, Path(place), shots) for name in devices}
        (_, first), *others = made.items()
        for name, folder in others:
            facts = api.diff(first, folder, pixels=None).as_dict()
            result[name] = {key: facts[key] for key in ("rows", "pixels")}
    return result


def _made(scene: Scene, name: str, place: Path, shots: int) -> Path:
    side, out = _COMPARED_SIDE, place / name.replace(":", "-")
    overrides = {"resolution": [side, side], "exposures_per_shot": 1, "sensor": "ideal"}
    overrides |= {"render.engine": _EEVEE} if name == _EEVEE else {}
    api.generate(scene.path, out, images=shots, device="cpu" if name == _EEVEE else name, overrides=overrides)
    return out


def table(result: dict[str, Any]) -> str:
    lines = [
        f"{'device':<10} {'px':>5} {'K':>2} {'workers':>7} {'images/s':>9} {'compared':>9} {'card MB':>8}"
    ]
    for one in result["rates"]:
        speed, compared = one["images_per_s"]["median"], one["compared"]["median"]
        card = "" if one["card_mb"] is None else f"{one['card_mb']:.0f}"
        lines.append(
            f"{one['device']:<10} {one['side']:>5} {one['exposures']:>2} {one['workers']:>7} {speed:>9.2f} "
            f"{compared:>8.2f}x {card:>8}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(run_program(command, sys.argv[1:], "python -m benchmarks.devices"))
