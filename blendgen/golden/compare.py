"""Compare: what differs between golden files and what was made now, in words that name the cause.

In: a Golden and a Made in a tier. Out: Checks of the spec, the models, the labels and the images.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from blendgen import __version__
from blendgen.golden.facts import Facts
from blendgen.golden.files import Golden, GoldenModel
from blendgen.golden.findings import Check, Finding
from blendgen.golden.machine import Tier
from blendgen.golden.made import Made
from blendgen.golden.pixels import Deviation, brightness, deviation
from blendgen.golden.values import Change, changes
from blendgen.spec.yaml_source import Path as FieldPath
from blendgen.spec.yaml_source import dotted
from blendgen.verification.changes import ABSENT

# Sampled values and poses are float64, but use functions of NumPy and measurements of models (float32 of
# Blender), whose last digits depend on CPU and version; of metres it is a hundredth of a millimetre.
TOLERANCE = 1e-5
_MOST_SHOWN = 25
# part of a row -> section of the spec that decides it
_SECTIONS: dict[tuple[str, ...], FieldPath] = {
    ("shot", "camera"): ("camera",),
    ("shot", "surface"): ("surface",),
    ("shot", "backdrop"): ("backdrop",),
    ("shot", "container"): ("container",),
    ("shot", "environment"): ("lighting", "environment"),
    ("shot", "lamps"): ("lighting", "lamps"),
    ("shot", "distractors"): ("distractors",),
    ("shot", "occluders"): ("occluders",),
    ("shot", "products"): ("placement",),
    ("exposure", "sensor"): ("sensor",),
    ("exposure",): ("exposure",),
    ("objects",): ("products",),
}
# what people look for first, then what was sampled, then what follows from it
_FIRST = ("label", "split", "category", "product", "colorway", "kind", "image", "visible_fraction")
_LAST: tuple[str, ...] = (
    *("intrinsics", "world_to_camera", "object_to_camera", "obb", "bbox_3d_m", "bbox_3d_px", "noise_seed"),
    *("render_seed", "lamp_to_world", "group_gain", "light_linear", "white_balance_gain", "pattern_seed"),
)


def compared(golden: Golden, made: Made, facts: Facts, tier: Tier) -> tuple[Check, ...]:
    """All comparisons of a tier."""
    return (
        Check("spec", tuple(_spec_findings(golden, facts)), "the values of the spec"),
        Check("models", tuple(_model_findings(golden, facts)), "classes, and contents of the model files"),
        _labels(golden, made, facts, tier),
        _images(golden, made, facts, tier),
    )


def _spec_findings(golden: Golden, facts: Facts) -> Iterator[Finding]:
    is_same_version = golden.record.blendgen_version == __version__
    if golden.record.pixels_version != facts.pixels_version:
        yield Finding(
            f"pixels_version {golden.record.pixels_version} -> {facts.pixels_version}: this blendgen makes "
            "other images from the same spec; look at them, then write golden files again with --update"
        )
    for change in changes(golden.record.spec, facts.spec):
        if is_same_version or ABSENT not in (change.a, change.b):  # another version has other keys
            yield Finding(f"{dotted(change.path)} {change.text}", change.path)


def _model_findings(golden: Golden, facts: Facts) -> Iterator[Finding]:
    before, now = golden.record.models, facts.models
    yield from _class_findings(golden.record.classes, facts.classes, {**before, **now})
    is_same_blender = golden.record.machine.get("version") == facts.machine.get("version")
    new = {name: model for name, model in now.items() if name not in before}
    for name, model in before.items():
        if name not in now:
            same = [other for other in new.values() if model.sha256 and other.sha256 == model.sha256]
            moved = next(iter(same), None)
            where = f"is now {moved.file}" if moved else "is gone"
            yield Finding(f"model {name}: {model.file} {where}", ("products",))
        elif text := _model_change(model, now[name], is_same_blender):
            yield Finding(f"model {name}: {text}", ("products",))
    for name, model in new.items():
        yield Finding(f"model {name}: {model.file} is new", ("products",))


def _class_findings(
    before: Mapping[str, list[str]], now: Mapping[str, list[str]], models: Mapping[str, GoldenModel]
) -> Iterator[Finding]:
    """Classes that came, went, or have another name for the same model files."""

    def contents(products: list[str]) -> list[str]:
        return sorted(models[one].sha256 or one if one in models else one for one in products)

    gone = {label: products for label, products in before.items() if label not in now}
    new = {label: products for label, products in now.items() if label not in before}
    for label, products in gone.items():
        other = next((one for one, its in new.items() if contents(its) == contents(products)), None)
        if other is not None:
            new.pop(other)
            yield Finding(f"label {label} -> {other} (model {', '.join(products[:3])})", ("products",))
        else:
            yield Finding(f"label {label} is gone (model {', '.join(products[:3])})", ("products",))
    for label, products in new.items():
        yield Finding(f"label {label} is new (model {', '.join(products[:3])})", ("products",))
    if not gone and not new and [*before] != [*now]:
        yield Finding("the classes have another order, so other label_ids", ("products",))
    for label in before.keys() & now.keys():
        if before[label] != now[label]:
            text = f"label {label}: models {', '.join(before[label])} -> {', '.join(now[label])}"
            yield Finding(text, ("products",))


def _model_change(before: GoldenModel, now: GoldenModel, is_same_blender: bool) -> str:
    if before.sha256 != now.sha256:
        moved = f" (was {before.file})" if before.file != now.file else ""
        return f"the content of {now.file} has changed{moved}"
    if before.file != now.file:
        return f"{before.file} is now {now.file}"
    if is_same_blender and before.content != now.content:
        return f"{now.file}: other options, or a file that it needs (texture, material) has changed"
    return ""


@dataclass
class _Group:
    """A field that differs in some images; the first of them."""

    change: Change
    index: int
    name: str
    images: set[int]


def _labels(golden: Golden, made: Made, facts: Facts, tier: Tier) -> Check:
    tolerance = 0.0 if tier == Tier.SAME else TOLERANCE
    groups: dict[str, _Group] = {}
    findings = [*_other_images(golden, made)]
    both = [index for index in golden.images if index in made.rows]
    for index in both:
        for change in changes(golden.rows[index], facts.rows[index], tolerance):
            name = _field_name(change.path, facts.rows[index])
            groups.setdefault(name, _Group(change, index, name, set())).images.add(index)
    ordered = sorted(groups.values(), key=lambda group: _rank(group.change.path))
    findings += [_group_finding(group, golden) for group in ordered[:_MOST_SHOWN]]
    if len(ordered) > _MOST_SHOWN:
        findings.append(Finding(f"and {len(ordered) - _MOST_SHOWN} more fields that follow from these"))
    exactness = "every digit" if tier == Tier.SAME else f"whole numbers exact, others within {TOLERANCE:g}"
    return Check("labels", tuple(findings), f"labels and sampled values of {len(both)} images, {exactness}")


def _other_images(golden: Golden, made: Made) -> Iterator[Finding]:
    for index, image in golden.images.items():
        if index not in made.plan.images:
            yield Finding(f"image {index} ({image.label}) is not made any more", ("images",), index)
    for index in made.rows.keys() - golden.images.keys():
        text = f"image {index} ({made.plan.images[index]}) is new: it has no golden files"
        yield Finding(text, ("images",), index)


def _group_finding(group: _Group, golden: Golden) -> Finding:
    others = len(group.images) - 1
    more = f", and {others} more image{'s' if others > 1 else ''}" if others else ""
    where = f"image {group.index} ({golden.images[group.index].label}){more}"
    change, path = group.change, _spec_path(group.change.path)
    text = f"{group.name} {change.text}"
    if change.path[:2] == ("exposure", "group_gain") and len(change.path) == 3:
        before, now = _light(change.a), _light(change.b)
        if before and now is not None:
            text = f"light of {change.path[2]}: brightness {100 * (now / before - 1):+.0f} %"
    return Finding(f"{text} in {where}", path, group.index)


def _light(gain: Any) -> float | None:
    """The sum of the gains of a group; None if the group does not exist, or has no numbers."""
    is_color = isinstance(gain, list) and all(isinstance(one, float) for one in gain)
    return math.fsum(gain) if is_color else None


def _field_name(path: FieldPath, row: Mapping[str, Any]) -> str:
    """The name of a field as people know it, the product first where it is of one."""
    if path[0] == "objects":
        product = (
            row[str(path[0])].get(path[1], {}).get("product", f"object {path[1]}") if len(path) > 1 else ""
        )
        return f"{product}: {dotted(path[2:]) or 'is an object'}".removeprefix(": ")
    if path[:2] == ("shot", "products") and len(path) > 3:
        products = row[str(path[0])][path[1]]
        position = path[2]
        if isinstance(position, int) and position < len(products):
            return f"{products[position]['product']}: {dotted(path[3:])}"
    return dotted(path[1:] if path[0] == "shot" and len(path) > 1 else path)


def _spec_path(path: FieldPath) -> FieldPath:
    for length in (2, 1):
        section = _SECTIONS.get(tuple(map(str, path[:length])))
        if section is not None:
            return (*section, *(part for part in path[length:] if isinstance(part, str)))
    return ()


def _rank(path: FieldPath) -> tuple[int, int]:
    name = next((part for part in reversed(path) if isinstance(part, str)), "")
    if path[-1] in _FIRST or name in _FIRST:
        return 0, len(path)
    if name in _LAST:
        return 3, len(path)
    return (1 if path[0] in ("shot", "exposure") else 2), len(path)


def _images(golden: Golden, made: Made, facts: Facts, tier: Tier) -> Check:
    if tier == Tier.LABELS:
        why = Finding("only labels are compared in tier c")
        return Check("images", (why,), skipped=True)
    both = [index for index in golden.images if index in made.rows]
    findings = [finding for index in both for finding in _picture(golden, made, facts, tier, index)]
    what = "sha256 of all pixels" if tier == Tier.SAME else "clean images within their bounds"
    return Check("images", tuple(findings), f"{what}, {len(both)} images")


def _picture(golden: Golden, made: Made, facts: Facts, tier: Tier, index: int) -> Iterator[Finding]:
    image = golden.images[index]
    before, now = golden.clean(index), made.clean(index)
    where, path = f"image {index} ({image.label})", ("lighting",)
    if before.shape != now.shape:
        size = " -> ".join(f"{one.shape[1]} x {one.shape[0]}" for one in (before, now))
        yield Finding(f"{where}: {size} pixels", ("resolution",), index)
        return
    away = deviation(before, now)
    texts = [*_deviation_texts(away, brightness(before), brightness(now), image.bounds)]
    if tier == Tier.SAME and not texts:
        names = [name for name, digest in image.digests.items() if facts.digests[index].get(name) != digest]
        if names:
            at = f"the clean image by at most {away.block:.2g} of 255 around pixel {away.block_px}"
            texts = [f"pixels of {', '.join(names)} differ; {at}"]
    yield from (Finding(f"{where}: {text}", path, index) for text in texts)


def _deviation_texts(away: Deviation, before: float, now: float, bounds: Any) -> Iterable[str]:
    if abs(away.brightness) > bounds.brightness:
        text = f"brightness {away.brightness:+.1%} ({before:.3f} -> {now:.3f}; bound {bounds.brightness:.1%})"
        yield text.replace("%", " %")
    if away.block > bounds.block:
        yield (f"differs by {away.block:.1f} of 255 around pixel {away.block_px} (bound {bounds.block:.1f})")
