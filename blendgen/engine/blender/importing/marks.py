"""Marks: the custom properties that blendgen sets on data of Blender. In a file they mean nothing."""

from __future__ import annotations

import bpy

PREFIX = "blendgen_"
WHY_HIDDEN = "blendgen_hidden"  # of an object that is not rendered: the reason


def forget_marks() -> None:
    """Remove the properties that a file has under names of blendgen's own."""
    for block in bpy.data.user_map():
        for key in [key for key in block.keys() if key.startswith(PREFIX)]:  # noqa: SIM118 - not a dict
            del block[key]
