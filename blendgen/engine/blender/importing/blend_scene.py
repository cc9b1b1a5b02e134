"""Blend scene: which scene of a .blend file Blender would render. Reads the first bytes of the file."""

from __future__ import annotations

from pathlib import Path

from blend_render_info import read_blend_rend_chunk

from blendgen.engine.blender.importing.findings import Findings, left_out_note


def rendered_scene(path: Path, names: list[str], findings: Findings) -> list[str]:
    """The scene that was open when the file was saved, as a list of one; or [] if there are no scenes.

    names: of the scenes in the file, in Blender's own order, which changes with every new scene
    """
    if len(names) < 2:
        return list(names)
    try:
        stated = [name for _, _, name in read_blend_rend_chunk(str(path))]
    except Exception:  # noqa: BLE001 - code of Blender that reads an untrusted header
        stated = []
    scene = next((name for name in stated if name in names), sorted(names)[0])
    others = [name for name in names if name != scene]
    findings.notes.append(left_out_note(others, "scenes that were not open when the file was saved"))
    return [scene]
