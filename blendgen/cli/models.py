"""blendgen models: the models of a folder or a spec and their sidecars, checked one by one."""

from __future__ import annotations

import click

from blendgen import api
from blendgen.cli.choice import Choice
from blendgen.cli.command import Command
from blendgen.cli.places import LOCAL_PATH, LocalPath
from blendgen.cli.progress import Progress
from blendgen.cli.terminal import echo, echo_json
from blendgen.errors import ExitCode, UsageError
from blendgen.models.doubts import mm_text
from blendgen.models.inspection import Inspected, Inspection
from blendgen.models.scan import UP_AXES
from blendgen.models.sidecar.frame import FileFrame
from blendgen.scene.vocabulary import METRES_PER_UNIT

_MAX_POSES = 4


@click.command(
    "models",
    cls=Command,
    examples={
        "measure and check all models of a folder": "blendgen models models",
        "a picture of each model, with its scale": "blendgen models models --sheet models.png",
        "write a first sidecar for a model in mm": "blendgen models models/mug.obj --unit mm --init",
    },
)
@click.argument("place", type=LocalPath(exists=True), metavar="PLACE")
@click.option(
    "--unit",
    type=Choice(list(METRES_PER_UNIT)),
    help="Unit of obj, stl, ply and off files; overrides the unit of other formats.",
)
@click.option("--up", type=Choice(UP_AXES), help="Axis that points up in the files, as in a spec.")
@click.option(
    "--follow-links", is_flag=True, help="Also links that lead out of PLACE, or out of the folder of a file."
)
@click.option(
    "--allow-outside",
    is_flag=True,
    help="Also read textures and other files from outside of PLACE, or of the folder of a file.",
)
@click.option(
    "--strict", is_flag=True, help="Exit with 6 if a model lacks part of its look, such as a texture."
)
@click.option(
    "--sheet",
    type=LOCAL_PATH,
    help="Also write a picture of each model with its scale, size and warnings: .png, .jpg or .webp.",
)
@click.option("--parts", is_flag=True, help="With --sheet: each part in a colour of its own, with its name.")
@click.option("--init", is_flag=True, help="Write a first sidecar next to PLACE, which must be a model file.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout.")
def command(place, strict, init, sheet, parts, as_json, **read_as):
    """Check the models of PLACE and their sidecars. PLACE is a folder, a model file, a sidecar or a spec.

    Prints what was measured of each model and what its sidecar states. Exits with 3 if a model cannot be
    used or a sidecar is wrong.
    """
    if init:
        with Progress(own_stdout=as_json):
            sidecar = str(api.create_sidecar(place, **read_as))
        if as_json:
            echo_json({"schema_version": 1, "sidecar": sidecar})
        else:
            echo(sidecar)
        return ExitCode.OK
    if parts and sheet is None:
        raise UsageError("--parts is for --sheet")
    with Progress(own_stdout=as_json) as progress:
        inspection = api.inspect_models(place, **read_as, progress=progress)
        if sheet is not None:
            api.models_sheet(inspection, sheet, parts=parts, progress=progress)
    if as_json:
        written = {} if sheet is None else {"sheet": str(sheet)}
        echo_json({"schema_version": 1, **inspection.as_dict(), **written})
    else:
        _print(inspection, strict)
        if sheet is not None:
            echo(f"sheet: {sheet}")
    if not inspection.passed:
        return ExitCode.SPEC
    return ExitCode.LOST_LOOK if strict and inspection.incomplete else ExitCode.OK


def _print(inspection: Inspection, strict: bool) -> None:
    for model in inspection.models:
        echo(_line(model))
        for warning in model.warnings:
            echo(f"  warning: {warning}")
        for note in model.product.measured.notes:
            echo(f"  note: {note}")
    for refusal in inspection.refusals:
        echo(f"cannot be used: {refusal}")
    for fault in inspection.faults:
        echo(str(fault))
    echo(_verdict(inspection, strict))


def _verdict(inspection: Inspection, strict: bool) -> str:
    wrong, incomplete = len(inspection.refusals) + len(inspection.faults), len(inspection.incomplete)
    faults = [f"{wrong} fault(s)"] if wrong else []
    if strict and incomplete:
        faults.append(f"{incomplete} without part of the look")
    counted = f"{len(inspection.models)} model(s)"
    return ", ".join([counted, *faults]) if faults else f"{counted}: ok"


def _line(model: Inspected) -> str:
    product = model.product
    facts = [
        f"{product.name}: {' x '.join(map(mm_text, product.size_m))} mm",
        f"{product.measured.triangles} triangles",
        f"parts {_parts(model)}",
        f"colourways {', '.join(colorway.name for colorway in product.colorways)}",
        f"class {product.model_class}" if product.model_class else "no class",
        f"keypoints {', '.join(k.name for k in product.keypoints)}" if product.keypoints else "no keypoints",
        f"rests {_poses(model)}",
        f"sidecar {model.sidecar.file}" if model.sidecar else "no sidecar",
    ]
    return "; ".join(facts)


def _parts(model: Inspected) -> str:
    product = model.product
    slots = range(len(product.parts))
    kinds = [f" ({kind})" if (kind := product.part_kind(slot)) else "" for slot in slots]
    return ", ".join(dict.fromkeys(product.part_name(slot) + kinds[slot] for slot in slots))


def _poses(model: Inspected) -> str:
    frame, shown = FileFrame(model.product), model.measured_poses[:_MAX_POSES]
    poses = [
        f"{frame.up_name(pose)} up {100 * pose.probability:.0f} %{' (excluded)' if out else ''}"
        for pose, out in shown
    ]
    more = len(model.measured_poses) - len(shown)
    return ", ".join(poses) + (f" and {more} more ways" if more else "")
