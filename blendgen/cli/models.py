"""blendgen models: the models of a folder or a spec and their sidecars, checked one by one."""

from __future__ import annotations

from pathlib import Path

import click

from blendgen.cli.terminal import echo, echo_json, say
from blendgen.errors import ExitCode, UsageError
from blendgen.models.inspection import Inspected, Inspection, inspect_place, inspect_spec
from blendgen.models.scan import UP_AXES
from blendgen.models.sidecar.frame import FileFrame
from blendgen.scene.vocabulary import METRES_PER_UNIT
from blendgen.spec.load import load_spec

_SPEC_SUFFIXES = (".yaml", ".yml")
_SHOWN_POSES = 4


@click.command("models")
@click.argument("place", type=click.Path(path_type=Path, exists=True), metavar="PLACE")
@click.option("--unit", type=click.Choice(list(METRES_PER_UNIT)), help="As `unit` of a spec.")
@click.option("--up", type=click.Choice(UP_AXES), help="As `up` of a spec.")
@click.option("--init", is_flag=True, help="Write a sidecar to start from, next to PLACE, a model file.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout.")
def command(place, unit, up, init, as_json):
    """Check the models of PLACE, a folder, a model file, a sidecar or a spec, with their sidecars.

    Says of each model what was measured and what its sidecar states. Exits with 3 where a model cannot
    be used or a sidecar is wrong.
    """
    inspection = _inspection(place, unit, up)
    if init:
        return _init(place, inspection)
    if as_json:
        echo_json(_as_json(inspection))
    else:
        _print(inspection)
    return ExitCode.OK if inspection.passed else ExitCode.SPEC


def _inspection(place: Path, unit: str | None, up: str | None) -> Inspection:
    from blendgen.engine.blender.importing.measuring import BlenderMeasurer
    from blendgen.models.measuring.cache import cache_folder
    from blendgen.models.sidecar.find import is_sidecar

    measurer = BlenderMeasurer(cache_folder() / "measure.log")
    if not (place.is_file() and place.suffix.lower() in _SPEC_SUFFIXES) or is_sidecar(place):
        return inspect_place(place, unit, up, measurer)
    if unit or up:
        raise UsageError("--unit and --up are for folders and models; a spec says them itself")
    return inspect_spec(load_spec(place), measurer)


def _init(place: Path, inspection: Inspection) -> int:
    from blendgen.models.sidecar.find import sidecar_name
    from blendgen.models.sidecar.template import template

    if place.is_dir() or place.suffix.lower() in _SPEC_SUFFIXES:
        raise UsageError(f"--init takes one model file, got {place}")
    for refusal in inspection.refusals:
        raise UsageError(str(refusal))
    target = sidecar_name(place)
    if target.exists() or inspection.faults or inspection.models[0].sidecar is not None:
        raise UsageError(f"{place} has a sidecar; blendgen models {place} checks it")
    model = inspection.models[0]
    try:
        with target.open("x", encoding="utf-8") as file:  # never over a file, nor through a link
            file.write(template(model.product, model.source.options))
    except OSError as error:
        raise UsageError(f"{target}: cannot be written: {error.strerror or error}") from None
    say(f"wrote {target}")
    return ExitCode.OK


def _as_json(inspection: Inspection) -> dict:
    return {
        "schema_version": 1,
        "ok": inspection.passed,
        "models": [_model_as_json(model) for model in inspection.models],
        "refusals": [{"file": one.source, "reason": one.reason} for one in inspection.refusals],
        "faults": [
            {"file": p.file, "line": p.line, "column": p.column, "field": p.field, "message": p.message}
            for p in inspection.faults
        ],
    }


def _model_as_json(model: Inspected) -> dict:
    product, frame = model.product, FileFrame(model.product)
    return {
        "name": product.name,
        "file": model.source.display,
        "sidecar": model.sidecar.file if model.sidecar else None,
        "class": product.model_class,
        "size_mm": [round(1000 * side, 3) for side in product.size_m],
        "triangles": product.measured.triangles,
        "parts": [
            {"material": part, "label": product.part_name(slot)} for slot, part in enumerate(product.parts)
        ],
        "colorways": [colorway.name for colorway in product.colorways],
        "keypoints": [
            {"name": k.name, "at": _rounded(frame.to_file(k.position_m)),
             "position_m": _rounded(k.position_m), "mirrored": k.mirrored}
            for k in product.keypoints
        ],
        "symmetries": {
            "continuous": len(product.symmetries.continuous), "discrete": len(product.symmetries.discrete)
        },
        "stable_poses": [
            {"up": _rounded(frame.up_of(pose)), "probability": round(pose.probability, 4), "excluded": out}
            for pose, out in model.measured_poses
        ],
        "missing_textures": list(product.measured.missing_textures),
        "warnings": list(model.warnings),
    }  # fmt: skip


def _rounded(numbers) -> list[float]:
    return [round(float(x), 6) + 0.0 for x in numbers]


def _print(inspection: Inspection) -> None:
    for model in inspection.models:
        echo(_line(model))
        for warning in model.warnings:
            echo(f"  warning: {warning}")
    for refusal in inspection.refusals:
        echo(f"cannot be used: {refusal}")
    for fault in inspection.faults:
        echo(str(fault))
    wrong = len(inspection.refusals) + len(inspection.faults)
    counted = f"{len(inspection.models)} model(s)"
    echo(f"{counted}: ok" if inspection.passed else f"{counted}, {wrong} fault(s)")


def _line(model: Inspected) -> str:
    product = model.product
    facts = [
        f"{product.name}: {' x '.join(f'{1000 * side:.4g}' for side in product.size_m)} mm",
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
    labels = dict.fromkeys(product.part_name(slot) for slot in range(len(product.parts)))
    return ", ".join(labels)


def _poses(model: Inspected) -> str:
    frame, shown = FileFrame(model.product), model.measured_poses[:_SHOWN_POSES]
    told = [
        f"{frame.up_name(pose)} up {100 * pose.probability:.0f} %{' (excluded)' if out else ''}"
        for pose, out in shown
    ]
    more = len(model.measured_poses) - len(shown)
    return ", ".join(told) + (f" and {more} more ways" if more else "")
