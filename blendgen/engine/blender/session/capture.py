"""Capture: every pass of one Cycles render as NumPy arrays, in memory.

Cycles gives its passes to Python only inside its add-on's engine class, so one method of that class is
wrapped, once. Passes come bottom-up from Blender and leave here top row first, with the names of Blender 5.2.
Blender would swallow exceptions inside the wrapper, as it swallows Ctrl-C during a render: no result is an
error.
"""

from __future__ import annotations

import bpy
import numpy as np

from blendgen.engine.base import EngineError

# Blender 5.0 renamed passes; the newer name is used throughout
_NEW_NAMES = {
    "IndexOB": "Object Index",
    "IndexMA": "Material Index",
    "DiffCol": "Diffuse Color",
    "GlossCol": "Glossy Color",
    "TransCol": "Transmission Color",
}

Passes = dict[str, dict[str, np.ndarray]]


class _Captured:
    unread: frozenset[str] = frozenset()
    passes: Passes | None = None
    error: BaseException | None = None
    installed: bool = False


def install() -> None:
    """Wrap the method that Cycles calls once per frame, after all view layers."""
    if _Captured.installed:
        return
    from cycles import CyclesRender

    original = CyclesRender.render_frame_finish

    def render_frame_finish(engine):
        original(engine)
        try:
            _Captured.passes = _read(engine, _Captured.unread)
        except BaseException as error:  # noqa: BLE001  (Blender would swallow it)
            _Captured.error = error

    CyclesRender.render_frame_finish = render_frame_finish
    _Captured.installed = True


def render_passes(unread: frozenset[str] = frozenset()) -> Passes:
    """Render the scene; view layer -> pass -> (h, w, channels) float32, top row first.

    unread: names of passes that are left out
    """
    install()
    _Captured.unread = unread
    scene = bpy.context.scene
    # scene.cycles.* writes do not tag the scene; with persistent data they would be stale.
    # Touching any native property does, and costs nothing.
    scene.render.film_transparent = scene.render.film_transparent
    _Captured.passes = _Captured.error = None
    try:
        bpy.ops.render.render(write_still=False)
    except RuntimeError as error:
        raise EngineError(f"Blender could not render: {str(error).strip()}") from None
    if isinstance(_Captured.error, MemoryError):
        raise _Captured.error
    if _Captured.error is not None:
        raise EngineError(f"reading the render failed: {_Captured.error!r}") from _Captured.error
    if _Captured.passes is None:
        raise EngineError("Blender returned no picture (out of memory, or interrupted)")
    passes, _Captured.passes = _Captured.passes, None
    return passes


def _read(engine, unread: frozenset[str]) -> Passes:
    result = engine.get_result()
    height, width = result.resolution_y, result.resolution_x
    layers: Passes = {}
    for layer in result.layers:
        passes = layers.setdefault(layer.name, {})
        for render_pass in layer.passes:
            name = _NEW_NAMES.get(render_pass.name, render_pass.name)
            if name in unread:
                continue
            flat = np.empty(height * width * render_pass.channels, np.float32)
            render_pass.rect.foreach_get(flat)
            passes[name] = flat.reshape(height, width, render_pass.channels)[::-1]
    return layers
