"""`python -m benchmarks.floor`: what procedural materials cost, next to one plain material for each of them.

In: scenes, and how many shots of each. Out: a table of Cycles' sampling time: computing time per 8 samples
of the shots as they are, of the same shots with constant inputs in place of every material's nodes, and the
ratio. Both are measured in turn, in one process with one thread; the time of synchronising drops out, as a
render with few samples is subtracted from one with many.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import count, islice
from typing import TYPE_CHECKING

import click

from benchmarks.plan import Plan, Variant, spec_of
from blendgen import api
from blendgen.cli import run_program
from blendgen.cli.terminal import echo, echo_json
from blendgen.draw.attempts import first_feasible
from blendgen.draw.shot import draw_shot
from blendgen.errors import BlendgenError
from blendgen.models.inventory import Inventory
from blendgen.scene.shot import Shot
from blendgen.spec.model import Spec
from blendgen.system.resources import resource_folder

if TYPE_CHECKING:
    from blendgen.engine.blender.session.engine import BlenderEngine

SCENES = Plan().scenes
_FEW, _MANY = 8, 24
# of inputs of the Principled BSDF that have nodes; others keep the value of their socket
_PLAIN = {
    "Base Color": 0.2,
    "Emission Color": 1.0,
    "Roughness": 0.5,
    "Specular IOR Level": 0.5,
    "Metallic": 0.9,
    "Coat Weight": 0.0,
}


@dataclass(frozen=True)
class Sampled:
    """Seconds of computing time per 8 samples of a shot: with the materials of the scene, with plain ones."""

    scene: str
    ground: str
    own_s: float
    plain_s: float

    @property
    def ratio(self) -> float:
        return self.own_s / self.plain_s


@click.command("floor")
@click.option("--scene", "scenes", multiple=True, default=SCENES, show_default=True, help="Built-in spec.")
@click.option("--shots", type=click.IntRange(1), default=10, show_default=True, help="Of each scene.")
@click.option("--rounds", type=click.IntRange(1), default=3, show_default=True, help="The median counts.")
@click.option("--json", "as_json", is_flag=True, help="Print the mean of each scene as one line of JSON.")
def command(scenes: tuple[str, ...], shots: int, rounds: int, as_json: bool) -> None:
    """Compare Cycles' sampling time with that of plain materials, scene by scene."""
    if as_json:
        for scene in scenes:
            echo_json(asdict(total([*measure(scene, shots, rounds)])))
        return
    echo(f"{'scene':<16} {'ground':<14} {'own s':>7} {'plain s':>7} {'ratio':>6}")
    for scene in scenes:
        sampled = []
        for one in measure(scene, shots, rounds):
            sampled.append(one)
            echo(line(one))
        echo(line(total(sampled)))


def line(one: Sampled) -> str:
    return f"{one.scene:<16} {one.ground:<14} {one.own_s:>7.3f} {one.plain_s:>7.3f} {one.ratio:>6.2f}"


def total(sampled: list[Sampled]) -> Sampled:
    """The mean of all shots of a scene; its ratio is that of the sums."""
    own_s, plain_s = (
        statistics.fmean(getattr(one, name) for one in sampled) for name in ("own_s", "plain_s")
    )
    return Sampled(sampled[0].scene, "all", own_s, plain_s)


def sampled_apart(scene: str, shots: int, rounds: int) -> Sampled:
    """The mean of a built-in scene, measured in a process of its own; raises BlendgenError if it fails."""
    options = ["--scene", scene, "--shots", str(shots), "--rounds", str(rounds), "--json"]
    done = subprocess.run([sys.executable, "-m", __name__, *options], capture_output=True, text=True)
    if done.returncode:
        raise BlendgenError(f"{__name__} failed for {scene}: {done.stderr.strip()}")
    return Sampled(**json.loads(done.stdout.splitlines()[-1]))


def measure(scene: str, shots: int, rounds: int) -> Iterator[Sampled]:
    """The shots of a built-in scene, one by one."""
    from blendgen.engine.blender.importing.inventory import measured_inventory
    from blendgen.engine.blender.session.engine import BlenderEngine

    opened = api.load_spec(resource_folder("scenes") / f"{scene}.yaml")
    inventory = measured_inventory(opened)
    spec = spec_of(opened.spec, Variant())
    engine = BlenderEngine(inventory.catalog, spec.render, 4, threads=1, output=spec.output)
    for shot in islice(_shots(spec, inventory), shots):
        with engine.built(shot):
            own, plain = zip(*(_pair(engine) for _ in range(rounds)), strict=True)
        yield Sampled(scene, shot.surface.kind, statistics.median(own), statistics.median(plain))


def _shots(spec: Spec, inventory: Inventory) -> Iterator[Shot]:
    """One for each index, the first attempt that succeeds."""
    for index in count():
        yield first_feasible(
            index,
            lambda attempt, index=index: draw_shot(
                spec, inventory.catalog, inventory.class_table, index, attempt
            ),
        )


def _pair(engine: BlenderEngine) -> tuple[float, float]:
    own_s = _sampling_s(engine)
    with plain_materials():
        return own_s, _sampling_s(engine)


def _sampling_s(engine: BlenderEngine) -> float:
    from blendgen.engine.blender.session.capture import render_passes

    spent = []
    for samples in (_FEW, _MANY):
        engine.set_samples(samples)
        start = time.process_time()
        render_passes()
        spent.append(time.process_time() - start)
    return (spent[1] - spent[0]) * 8 / (_MANY - _FEW)


@contextmanager
def plain_materials() -> Iterator[None]:
    """Each material of the scene replaced by one whose shader has no node in front of it."""
    import bpy

    slots = [slot for thing in bpy.context.scene.objects if thing.type == "MESH"
             for slot in thing.material_slots if slot.material is not None]  # fmt: skip
    own = [slot.material for slot in slots]
    plain = {material: _plain(material) for material in dict.fromkeys(own)}
    try:
        for slot, material in zip(slots, own, strict=True):
            slot.material = plain[material]
        yield
    finally:
        for slot, material in zip(slots, own, strict=True):
            slot.material = material
        bpy.data.batch_remove(list(plain.values()))


def _plain(material):
    """A copy whose surface is one shader without nodes in front of it."""
    copy = material.copy()
    nodes, links = copy.node_tree.nodes, copy.node_tree.links
    principled = next((node for node in nodes if node.type == "BSDF_PRINCIPLED"), None)
    if principled is None:
        return copy
    for socket in principled.inputs:
        if socket.is_linked:
            links.remove(socket.links[0])
            value = _PLAIN.get(socket.name)
            if value is not None:
                socket.default_value = (value, value, value, 1.0) if socket.type == "RGBA" else value
    output = next(node for node in nodes if node.type == "OUTPUT_MATERIAL")
    links.new(principled.outputs["BSDF"], output.inputs["Surface"])
    return copy


if __name__ == "__main__":
    sys.exit(run_program(command, sys.argv[1:], "python -m benchmarks.floor"))
