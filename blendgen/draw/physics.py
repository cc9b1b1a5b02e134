"""Physics: rigid bodies fall onto a floor, perhaps between walls, and come to rest.

In: polytopes and the poses from which they fall. Out: their poses at rest, or None where they do not come to
rest. A polytope with parts is one body, and others may fall into its cavities. MuJoCo simulates them in units
of their mean size, so that small and large things settle alike. Nothing here is random. Strong damping saves
time: only the poses at rest matter, not the motion.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from blendgen.draw.polytope import Polytope
from blendgen.geometry.arrays import Array2, Array3, Matrix3x3, Matrix4x4, PointsN3

_log = logging.getLogger(__name__)

_STEP_S, _LONGEST_S, _CHECK_STEPS = 0.004, 24.0, 50
_GRAVITY, _TERMINAL_VELOCITY = 9.81, 2.0
_FRICTION = (0.6, 0.01, 0.002)
_AT_REST = (0.01, 0.05)  # mean sizes per second, radians per second
_SPARE = 0.02
_APART = 0.0006  # of the mean size: more than the depth of contacts, so that meshes do not touch
# of hollow things, whose contacts are deeper: of two meshes each is this far inside the body that settles
_APART_HOLLOW = 0.0012
# depth of a contact, of the mean size: 0.0006, a quarter of the distance of two meshes, is left. The surface
# of a mug, a peg, a ring and an open box is at most 0.0004 outside of its convex parts at 99.9 % of points.
# One contact is deeper in 5 % of random piles of four such things.
_WEDGED = 1.5 * _APART_HOLLOW


@dataclass(frozen=True, eq=False)
class Body:
    """A polytope in its own frame, and the rotation (3, 3) and position (x, y) from which it falls."""

    polytope: Polytope
    rotation: Matrix3x3
    place_m: Array2


def settle(bodies: list[Body], walls: list[Polytope], floor_m: float) -> list[Matrix4x4] | None:
    """object_to_world (4, 4) of each body at rest; None if some still move at the end, or are wedged.

    bodies: the first falls first; walls: fixed boxes; floor_m: height of the floor
    """
    import mujoco

    mujoco.set_mju_user_warning(_log.warning)  # the default writes a file into the current folder
    size_m = float(np.mean([np.ptp(body.polytope.corners_m, axis=0).max() for body in bodies]))
    hollow = any(body.polytope.parts for body in bodies)
    apart = _APART_HOLLOW if hollow else _APART
    bodies = [replace(body, polytope=body.polytope.wider(apart * size_m)) for body in bodies]
    heights = _heights(bodies, size_m)
    model = _model(mujoco, bodies, walls, floor_m, heights, size_m)
    data = mujoco.MjData(model)
    free = np.arange(len(bodies))[:, None] * 6
    linear, angular = free + np.arange(3), free + np.arange(3, 6)
    masses, inertias = model.body_mass[1:], model.body_inertia[1:]
    drag = _GRAVITY / _TERMINAL_VELOCITY
    model.dof_damping[linear] = drag * masses[:, None]
    model.dof_damping[angular] = drag * inertias
    for _ in range(int(_LONGEST_S / _STEP_S / _CHECK_STEPS)):
        mujoco.mj_step(model, data, nstep=_CHECK_STEPS)
        moving, turning = np.abs(data.qvel[linear]).max(), np.abs(data.qvel[angular]).max()
        if not np.isfinite(moving):
            return None
        if moving < _AT_REST[0] and turning < _AT_REST[1]:
            if hollow and _deepest(data) > _WEDGED:
                return None
            return [_pose(data, number, body, size_m) for number, body in enumerate(bodies, start=1)]
    return None


def _heights(bodies: list[Body], size_m: float) -> list[float]:
    """Height in metres from which the middle of each body falls: no two bounding spheres overlap."""
    started: list[tuple[Array2, float, float]] = []
    for body in bodies:
        corners = body.polytope.corners_m
        radius = float(np.linalg.norm(corners - _middle(body), axis=1).max())
        height = radius
        for place_m, below, other in started:
            aside = float(np.linalg.norm(body.place_m - place_m))
            if aside < radius + other:
                height = max(height, below + float(np.sqrt((radius + other) ** 2 - aside**2)))
        started.append((body.place_m, height + _SPARE * size_m, radius))
    return [height for _, height, _ in started]


def _model(
    mujoco: Any,
    bodies: list[Body],
    walls: list[Polytope],
    floor_m: float,
    heights: list[float],
    size_m: float,
) -> Any:
    spec = mujoco.MjSpec()
    spec.option.timestep = _STEP_S
    spec.option.gravity = [0, 0, -_GRAVITY]
    spec.option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    spec.option.impratio = 5
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    contact = {"solref": [4 * _STEP_S, 1.0], "solimp": [0.95, 0.99, 0.001, 0.5, 2.0]}
    floor = {"type": mujoco.mjtGeom.mjGEOM_PLANE, "size": [100, 100, 1], "pos": [0, 0, floor_m / size_m]}
    spec.worldbody.add_geom(**floor, friction=_FRICTION, **contact)
    for number, wall in enumerate(walls):
        name = _mesh(spec, f"wall_{number}", wall.corners_m / size_m)
        kind = mujoco.mjtGeom.mjGEOM_MESH
        spec.worldbody.add_geom(type=kind, meshname=name, friction=_FRICTION, **contact)
    for number, (body, height) in enumerate(zip(bodies, heights, strict=True)):
        falling = spec.worldbody.add_body(pos=[*(body.place_m / size_m), (height + floor_m) / size_m])
        falling.add_freejoint()
        kind = mujoco.mjtGeom.mjGEOM_MESH
        for part, convex in enumerate(body.polytope.bodies):
            corners = (convex.corners_m - _middle(body)) @ body.rotation.T / size_m
            name = _mesh(spec, f"body_{number}_{part}", corners)
            falling.add_geom(type=kind, meshname=name, density=1000, condim=4, friction=_FRICTION, **contact)
    return spec.compile()


def _mesh(spec: Any, name: str, corners: PointsN3) -> str:
    spec.add_mesh(name=name, uservert=corners.ravel().tolist())
    return name


def _middle(body: Body) -> Array3:
    corners = body.polytope.corners_m
    return (corners.min(axis=0) + corners.max(axis=0)) / 2


def _deepest(data: Any) -> float:
    """Depth of the deepest contact, mean sizes: something is wedged in a cavity where meshes touch."""
    return float(np.max(-data.contact.dist, initial=0.0))


def _pose(data: Any, number: int, body: Body, size_m: float) -> Matrix4x4:
    turned = data.xmat[number].reshape(3, 3) @ body.rotation
    # after many steps of rounding, make the rotation orthogonal again
    u, _, v = np.linalg.svd(turned)
    pose = np.eye(4)
    pose[:3, :3] = u @ v
    pose[:3, 3] = data.xpos[number] * size_m - pose[:3, :3] @ _middle(body)
    return pose
