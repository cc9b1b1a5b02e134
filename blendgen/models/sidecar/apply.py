"""Apply: a measured product and its sidecar -> the product as the sidecar describes it.

Checks that need the measured mesh are here: whether patterns match a part, whether keypoints are on the
surface, whether the shape has its symmetries, whether a stable pose is left.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from blendgen.errors import Problem, did_you_mean
from blendgen.models.product import GLASS, SCREEN, Keypoint, Product, StablePose
from blendgen.models.recolor import matches, recolored, unmatched_patterns, value_for
from blendgen.models.sidecar.frame import FileFrame
from blendgen.models.sidecar.read import SidecarFile, twins
from blendgen.models.sidecar.schema import FILE
from blendgen.models.source import AS_SHOWN
from blendgen.models.symmetry import Turn, misfit_m, symmetries

EXCLUDED_WITHIN_DEG = 30.0
# shares of the product's largest side
KEYPOINT_TOLERANCE = 0.02
SYMMETRY_TOLERANCE = 0.03
_FRAMES = {FILE: "as in the model file", AS_SHOWN: "as Blender shows the model file"}


def with_sidecar(product: Product, file: SidecarFile) -> tuple[Product, list[Problem]]:
    """The product as its sidecar describes it, or the unchanged product and all faults of the sidecar.

    product: measured with the sidecar's keypoints as its source's `points`
    """
    sidecar = file.sidecar
    turns = [*_turns(product, file)]
    problems = [
        *_frame_faults(product, file),
        *_pattern_faults(product, file),
        *_keypoint_faults(product, file),
        *_symmetry_faults(product, file, turns),
        *_pose_faults(product, file),
    ]
    if problems:
        return product, problems
    if sidecar.colorways is not None:
        product = recolored(product, sidecar.colorways)
    described = replace(
        product,
        model_class=sidecar.model_class,
        part_names=_part_names(product, file) if sidecar.parts else (),
        part_kinds=_part_kinds(product, file) if sidecar.glass or sidecar.screen else (),
        keypoints=named_keypoints(product, file),
        symmetries=symmetries(turn for _, turn in turns),
        stable_poses=_allowed_poses(product, file),
    )
    return described, []


def _frame_faults(product: Product, file: SidecarFile) -> Iterator[Problem]:
    if product.measured.file_to_product is not None:
        return
    for key in ("keypoints", "symmetries", "exclude_poses"):
        if file.sidecar.model_fields_set & {key}:
            yield file.problem((key,), "the axes of this file are unknown; export it to another format")


def _pattern_faults(product: Product, file: SidecarFile) -> Iterator[Problem]:
    for label, patterns in file.sidecar.parts.items():
        for pattern in patterns:
            if not any(matches(pattern, part) for part in product.parts):
                yield file.problem(("parts", label), _unmatched(pattern, product))
    for key, patterns in ((GLASS, file.sidecar.glass), (SCREEN, file.sidecar.screen)):
        for pattern in patterns:
            if not any(matches(pattern, part) for part in product.parts):
                yield file.problem((key,), _unmatched(pattern, product))
    for name, pattern in unmatched_patterns([product], file.sidecar.colorways or {}):
        yield file.problem(("colorways", name, pattern), _unmatched(pattern, product))


def _unmatched(pattern: str, product: Product) -> str:
    return f"{pattern!r} matches no material of this model{did_you_mean(pattern, product.parts)}"


def _part_names(product: Product, file: SidecarFile) -> tuple[str, ...]:
    """The label of each material."""
    labels = [(pattern, label) for label, patterns in file.sidecar.parts.items() for pattern in patterns]
    return tuple(value_for(part, labels) or part for part in product.parts)


def _part_kinds(product: Product, file: SidecarFile) -> tuple[str, ...]:
    """What each material is; a screen that is named as glass too is a screen."""
    kinds = ((SCREEN, file.sidecar.screen), (GLASS, file.sidecar.glass))
    return tuple(
        next((kind for kind, patterns in kinds if any(matches(one, part) for one in patterns)), "")
        for part in product.parts
    )


def _keypoint_faults(product: Product, file: SidecarFile) -> Iterator[Problem]:
    frame = FileFrame(product)
    tolerance_m = KEYPOINT_TOLERANCE * max(product.size_m)
    for (name, place), measured in zip(file.sidecar.keypoints.items(), product.keypoints, strict=False):
        off_m = math.dist(frame.point_m(place.at), measured.position_m)
        if off_m > tolerance_m:
            nearest_point = ", ".join(f"{x:.4g}" for x in frame.to_file(measured.position_m))
            yield file.problem(
                ("keypoints", name),
                f"is {1000 * off_m:,.1f} mm from the surface, at most {1000 * tolerance_m:,.1f} mm is "
                f"allowed; the nearest point is [{nearest_point}], {_FRAMES[file.sidecar.coordinates]}",
            )


def named_keypoints(product: Product, file: SidecarFile) -> tuple[Keypoint, ...]:
    """The measured keypoints, under the names of the sidecar."""
    mirrored = twins(file.sidecar)
    names = file.sidecar.keypoints
    return tuple(
        Keypoint(name, measured.position_m, mirrored.get(name))
        for name, measured in zip(names, product.keypoints, strict=True)
    )


def _turns(product: Product, file: SidecarFile) -> Iterator[tuple[tuple, Turn]]:
    """The stated symmetries in the product frame, each with its path in the file."""
    frame, stated = FileFrame(product), file.sidecar.symmetries
    for key in ("continuous", "discrete"):
        for number, one in enumerate(getattr(stated, key)):
            middle = np.array([0.0, 0.0, product.size_m[2] / 2])
            through = middle if one.through is None else frame.point_m(one.through)
            turn = Turn(frame.direction(one.axis), through, getattr(one, "fold", None))
            yield ("symmetries", key, number), turn


def _symmetry_faults(product: Product, file: SidecarFile, turns) -> Iterator[Problem]:
    tolerance_m = SYMMETRY_TOLERANCE * max(product.size_m)
    for path, turn in turns:
        off_m = misfit_m(product.hull_m, turn)
        if off_m > tolerance_m:
            yield file.problem(
                path,
                f"the shape does not have this symmetry: rotated like this it is {1000 * off_m:.3g} mm off, "
                f"more than {1000 * tolerance_m:.3g}; axes are {_FRAMES[file.sidecar.coordinates]}",
            )
    try:
        symmetries(turn for _, turn in turns)
    except ValueError as error:
        yield file.problem(("symmetries",), str(error))


def _allowed_poses(product: Product, file: SidecarFile) -> tuple[StablePose, ...]:
    """The stable poses that are not excluded; their probabilities sum to 1."""
    allowed = [pose for pose in product.stable_poses if not excluded(product, pose, file)]
    if len(allowed) == len(product.stable_poses):
        return product.stable_poses
    total = sum(pose.probability for pose in allowed)
    return tuple(replace(pose, probability=pose.probability / total) for pose in allowed)


def excluded(product: Product, pose: StablePose, file: SidecarFile) -> bool:
    """Whether one of the axes that the sidecar excludes points up in a stable pose."""
    up = FileFrame(product).up_of(pose)
    least = math.cos(math.radians(EXCLUDED_WITHIN_DEG))
    return any(float(np.dot(up, axis)) >= least for axis in file.sidecar.exclude_poses)


def _pose_faults(product: Product, file: SidecarFile) -> Iterator[Problem]:
    if not file.sidecar.exclude_poses or product.measured.file_to_product is None:
        return
    poses = product.stable_poses
    if all(excluded(product, pose, file) for pose in poses):
        frame = FileFrame(product)
        listed = ", ".join(dict.fromkeys(frame.up_name(pose) for pose in poses[:6]))
        yield file.problem(("exclude_poses",), f"no stable pose is left; it rests with {listed} up")
