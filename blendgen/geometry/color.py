"""Colour: hex <-> sRGB <-> scene-linear Rec. 709, and the colour of a black body.

Convention: hex colours and `*_srgb` are display-encoded (IEC 61966-2-1); `*_linear` are scene-linear with
Rec. 709 primaries and a D65 white of (1, 1, 1).
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import ArrayLike

from blendgen.geometry.arrays import AnyArray, FloatArray

# of a surface whose colour is not stated or cannot be shown
PLAIN_GREY_LINEAR = (0.6, 0.6, 0.6)
_HEX = re.compile(r"#[0-9a-fA-F]{6}")


def srgb_to_linear(rgb_srgb: ArrayLike) -> FloatArray:
    """Display-encoded values in [0, 1] to scene-linear; any shape, float64."""
    encoded = np.asarray(rgb_srgb, dtype=np.float64)
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def linear_to_srgb(rgb_linear: ArrayLike) -> AnyArray:
    """Scene-linear values to display-encoded; negative light is clipped to 0; any shape."""
    linear = np.maximum(np.asarray(rgb_linear), 0)
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)


def times_color(image: AnyArray, color: ArrayLike) -> AnyArray:
    """An image (h, w, 3) with each channel multiplied by its value of `color`.

    Multiplying whole rows is several times as fast as broadcasting three values.
    """
    height, width = image.shape[:2]
    row = np.tile(np.asarray(color, image.dtype), width)
    return (image.reshape(height, -1) * row).reshape(image.shape)


def hex_to_srgb(text: str) -> tuple[float, float, float]:
    """'#1f2a44' to three values in [0, 1]; raises ValueError for any other form."""
    if not isinstance(text, str) or not _HEX.fullmatch(text):
        raise ValueError(f"a colour is written '#rrggbb' (sRGB), got {text!r}")
    red, green, blue = (int(text[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return (red, green, blue)


def hex_to_linear(text: str) -> tuple[float, float, float]:
    """'#1f2a44' (sRGB) to three scene-linear values."""
    return _triple(srgb_to_linear(hex_to_srgb(text)))


def luminance(rgb_linear: ArrayLike) -> AnyArray:
    """Rec. 709 luminance over the last axis."""
    return np.asarray(rgb_linear) @ np.array([0.2126, 0.7152, 0.0722])


def tinted(rgb_linear: ArrayLike, tint: float) -> tuple[float, float, float]:
    """A colour shifted to green (tint 1) or magenta (-1) at constant luminance; 1 is a third of a stop."""
    shifted = np.asarray(rgb_linear, float) * (1.0, 2.0 ** (tint / 3), 1.0)
    shifted *= float(luminance(rgb_linear)) / float(luminance(shifted))
    return _triple(shifted)


def white_balance_gain(light_linear: ArrayLike, correction: float) -> tuple[float, float, float]:
    """Channel gains that remove part of the light's colour and keep its luminance.

    light_linear: (3,) colour of the light; correction: 0 (none) to 1 (the light becomes neutral)
    """
    light = np.maximum(np.asarray(light_linear, float), 1e-6)
    gain = (luminance(light) / light) ** correction
    balanced = gain * float(luminance(light)) / float(luminance(light * gain))
    return _triple(balanced)


def blackbody_linear(temperature_k: float) -> tuple[float, float, float]:
    """Colour of a black-body (Planckian) source, luminance 1, relative to the D65 white.

    temperature_k: 1667 to 25000 kelvin
    source: Kim et al. 2002, cubic spline of the Planckian locus in CIE 1931 x, y
    raises: ValueError outside that range
    """
    if not 1667 <= temperature_k <= 25000:
        raise ValueError(f"a colour temperature is 1667 to 25000 K, got {temperature_k}")
    x, y = _planckian_xy(float(temperature_k))
    xyz = np.array([x / y, 1.0, (1 - x - y) / y])
    rgb = np.maximum(_XYZ_TO_RGB @ xyz, 0)
    return _triple(rgb / luminance(rgb))


def _triple(color: FloatArray) -> tuple[float, float, float]:
    red, green, blue = (float(value) for value in color)
    return (red, green, blue)


_XYZ_TO_RGB = np.array(
    [
        [3.2404542, -1.5371385, -0.4985314],
        [-0.9692660, 1.8760108, 0.0415560],
        [0.0556434, -0.2040259, 1.0572252],
    ]
)


def _planckian_xy(t: float) -> tuple[float, float]:
    if t <= 4000:
        x = -0.2661239e9 / t**3 - 0.2343589e6 / t**2 + 0.8776956e3 / t + 0.179910
    else:
        x = -3.0258469e9 / t**3 + 2.1070379e6 / t**2 + 0.2226347e3 / t + 0.240390
    if t <= 2222:
        y = -1.1063814 * x**3 - 1.34811020 * x**2 + 2.18555832 * x - 0.20219683
    elif t <= 4000:
        y = -0.9549476 * x**3 - 1.37418593 * x**2 + 2.09137015 * x - 0.16748867
    else:
        y = 3.0817580 * x**3 - 5.87338670 * x**2 + 3.75112997 * x - 0.37001483
    return x, y
