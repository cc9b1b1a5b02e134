"""Pictures that blendgen develops from known light with known sensors, without Blender."""

from __future__ import annotations

from functools import cache

import numpy as np

from blendgen.develop.develop import finish
from blendgen.geometry.arrays import FloatArray, ImageHW3U8
from blendgen.geometry.color import hex_to_linear
from tests.develop.cameras import camera, exposure, sensor_of

WIDTH, HEIGHT = 240, 180
_STRONG = ("#b02020", "#2040a0", "#e0e0e0", "#d0a020", "#202020", "#208040")


@cache
def disks(seed: int, count: int = 40, surface: str = "#7a7a74") -> FloatArray:
    """(h, w, 3) linear light: disks of many greys and colours on a surface that is lit a little unevenly."""
    rng = np.random.Generator(np.random.PCG64(seed))
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH] + 0.5
    light = np.broadcast_to(np.array(hex_to_linear(surface)), (HEIGHT, WIDTH, 3)).copy()
    light *= (0.9 + 0.2 * x / WIDTH)[..., None]
    for _ in range(count):
        cx, cy, radius = rng.uniform(0, WIDTH), rng.uniform(0, HEIGHT), rng.uniform(8, 22)
        grey = rng.choice([0.02, 0.06, 0.2, 0.45, 0.8])
        light[(x - cx) ** 2 + (y - cy) ** 2 < radius**2] = grey * rng.uniform(0.85, 1.15, 3)
    light.setflags(write=False)
    return light


@cache
def signs(seed: int, count: int = 90) -> FloatArray:
    """(h, w, 3) linear light: small signs of strong colours on white."""
    rng = np.random.Generator(np.random.PCG64(seed))
    colors = [hex_to_linear(one) for one in _STRONG]
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH] + 0.5
    light = np.full((HEIGHT, WIDTH, 3), 0.7)
    for number in range(count):
        cx, cy, radius = rng.uniform(0, WIDTH), rng.uniform(0, HEIGHT), rng.uniform(3, 9)
        light[(x - cx) ** 2 + (y - cy) ** 2 < radius**2] = colors[number % len(colors)]
    light.setflags(write=False)
    return light


@cache
def steps(seed: int) -> FloatArray:
    """(h, w, 3) linear light: 24 plain greys from black to white, in another order for each seed."""
    rng = np.random.Generator(np.random.PCG64(seed))
    greys = rng.permutation(np.geomspace(0.01, 0.85, 24)).reshape(4, 6)
    light = np.kron(greys, np.ones((HEIGHT // 4, WIDTH // 6)))[..., None].repeat(3, axis=2)
    light.setflags(write=False)
    return light


def developed(light: FloatArray, preset: str = "ideal", seed: int = 1, **changes) -> ImageHW3U8:
    """The 8-bit picture; changes: of the sensor and, as exposure_KEY, of the exposure."""
    of_exposure = {key[9:]: changes.pop(key) for key in list(changes) if key.startswith("exposure_")}
    sensor = sensor_of(preset, **changes)
    height, width = light.shape[:2]
    shot = exposure(sensor, noise_seed=seed, **of_exposure)
    return finish(light.astype(np.float32), camera(width, height), shot)
