"""Display transform: scene-linear to display-encoded sRGB, the only step from linear to display values.

"Standard" is the sRGB curve and is computed here; "AgX" and "Filmic" are Blender's own, from the
OpenColorIO configuration and library in the bpy wheel, which are loaded without importing bpy.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import sys
from functools import cache

import numpy as np

from blendgen.errors import SetupError
from blendgen.geometry.arrays import ImageHW3U8
from blendgen.geometry.color import linear_to_srgb
from blendgen.system.wheel import bundled_packages, datafiles


def to_display(radiance_linear, view: str) -> np.ndarray:
    """(h, w, 3) float32 in [0, 1], display-encoded; view: "Standard", "AgX" or "Filmic"."""
    if view == "Standard":
        return np.clip(linear_to_srgb(radiance_linear), 0, 1).astype(np.float32)
    rgb = np.array(radiance_linear, np.float32, order="C")
    _processor(view).applyRGB(rgb)
    return np.clip(rgb, 0, 1)


def to_8_bit(rgb_display) -> ImageHW3U8:
    """Round half up to uint8, as Blender does."""
    return np.clip(np.floor(rgb_display * 255 + 0.5), 0, 255).astype(np.uint8)


@cache
def _processor(view: str):
    ocio = _ocio()
    config = ocio.Config.CreateFromFile(str(datafiles() / "colormanagement" / "config.ocio"))
    transform = ocio.DisplayViewTransform(src="Linear Rec.709", display="sRGB", view=view)
    return config.getProcessor(transform).getDefaultCPUProcessor()


def _ocio():
    """PyOpenColorIO of the wheel, loaded without putting the wheel's other packages on sys.path."""
    if "PyOpenColorIO" in sys.modules:
        return sys.modules["PyOpenColorIO"]
    module_spec = importlib.machinery.PathFinder.find_spec("PyOpenColorIO", [str(bundled_packages())])
    if module_spec is None or module_spec.loader is None:
        raise SetupError("the bpy wheel contains no OpenColorIO; use view: Standard or reinstall bpy")
    module = importlib.util.module_from_spec(module_spec)
    sys.modules["PyOpenColorIO"] = module
    module_spec.loader.exec_module(module)
    return module
