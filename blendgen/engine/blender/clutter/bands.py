"""Wires and bands, in millimetres: paper clip, rubber band, zip tie."""

from __future__ import annotations

import math

import numpy as np

from blendgen.engine.blender.clutter.items import item
from blendgen.engine.blender.clutter.outlines import blunt, circle, curve, even, moved, rounded, slab, sweep
from blendgen.engine.blender.clutter.solids import Solids


@item("paper_clip")
def paper_clip(parts: Solids) -> None:
    """Gem clip, 33 x 8 mm, of 1 mm wire; the inner loop stands a little proud."""
    wire = 0.5
    path = [np.array([(-4.0, 8.0)]), _arc((0.0, -11.2), 4.0, 180, 360), _arc((0.35, 12.4), 3.65, 0, 180)]
    path += [_arc((-0.35, -7.0), 2.95, 180, 360), np.array([(2.6, 6.0)])]
    flat = np.concatenate(path)
    share = np.linspace(0, 1, len(flat))
    lift = wire + 0.5 * np.clip((share - 0.62) / 0.3, 0, 1)
    points = even(np.column_stack([flat, lift]), 0.6)
    points, scale = blunt(points, wire, 0.12)
    parts.rings(sweep(points, circle(wire, 14), up=(0.0, 0.0, 1.0), scale=scale), "wire")


def _arc(middle, radius: float, start_deg: float, end_deg: float) -> np.ndarray:
    angle = np.radians(np.linspace(start_deg, end_deg, 25))
    return np.array(middle) + radius * np.column_stack([np.cos(angle), np.sin(angle)])


@item("rubber_band")
def rubber_band(parts: Solids) -> None:
    """A band 1.6 x 1 mm that lies in a loose, dented loop, twisting as it goes."""
    angle = np.arange(0, 360, 15.0)
    a = np.radians(angle)
    r = 23 + 5.0 * np.sin(2 * a + 0.4) + 2.6 * np.sin(3 * a + 1.9) + 1.0 * np.sin(5 * a)
    z = 0.95 + 0.5 * np.sin(2 * a + 1.0) + 0.35 * np.sin(5 * a + 0.3)
    path = curve(np.column_stack([1.2 * r * np.cos(a), 0.8 * r * np.sin(a), z]), 7, loop=True)
    share = np.arange(len(path)) * (2 * math.pi / len(path))
    twist = 55 * np.sin(share + 0.7) + 35 * np.sin(3 * share)
    parts.rings(
        sweep(path, rounded(1.0, 1.6, 0.16, 2), up=(0.0, 0.0, 1.0), loop=True, twist_deg=twist),
        "band",
        loop=True,
    )


@item("zip_tie")
def zip_tie(parts: Solids) -> None:
    """A closed cable tie 4.6 mm wide, lying on its side, its tail cut short behind the head."""
    a = np.radians(np.linspace(8, 362, 60))
    r = 17.5 + 1.6 * np.sin(2 * a + 0.5) + 0.7 * np.sin(3 * a)
    loop = np.column_stack([r * np.cos(a), 0.9 * r * np.sin(a), np.full(60, 2.3)])
    end = loop[-1]
    tail = [end + (2.2, 5.0, 0.0), end + (4.8, 11.5, 0.1), end + (7.6, 17.5, 0.25)]
    path = even(curve(np.concatenate([loop, tail]), 6), 0.5)
    scale = np.ones((len(path), 2))
    scale[::2, 0] = 0.82
    scale[:16, 0] = 1.0
    strap = rounded(1.25, 4.6, 0.25, 2)
    parts.rings(sweep(path, strap, up=(0.0, 0.0, 1.0), scale=scale), "strap")
    start = loop[0]
    head = slab(rounded(6.2, 6.4, 0.9, 3), -0.9, 5.5, 0.5)
    parts.rings(head, "strap", place=moved(*(start + (1.2, -0.6, -2.3))))
