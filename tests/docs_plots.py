"""`make docs-plots`: the sensor of docs/camera.md in plots, measured on images and computed by formula.

In: the sensor presets. Out: docs/pictures/sensor/NAME.svg. Dots are measurements, lines are formulas.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from blendgen.develop.grain import add_grain
from blendgen.develop.lens import blur, vignetting
from blendgen.develop.sensor import raw_dn, saturation_e, system_gain_dn_per_e, white_e
from blendgen.scene.shot import Sensor
from tests.develop.cameras import exposure, sensor_of
from tests.docs_pages import DOCS
from tests.engine.conformance import make_camera

PLOTS = DOCS / "pictures" / "sensor"
_CAMERAS = ("phone", "machine_vision", "webcam", "cctv")
_SIDE = 240


def green(raw: np.ndarray, sensor: Sensor) -> np.ndarray:
    """The pixels of one colour, which expect the same light."""
    if sensor.mosaic == "rggb":
        return raw[0::2, 1::2]
    return raw[..., 1] if raw.ndim == 3 else raw


def noise_points(sensor: Sensor, gain_db: float, levels: np.ndarray) -> np.ndarray:
    """(n, 2) mean and variance in DN of flat fields: EMVA 1288, from the difference of two frames each."""
    points = []
    for number, level in enumerate(levels):
        light = np.full((_SIDE, _SIDE, 3), level, np.float32)
        one, two = (
            green(raw_dn(light, exposure(sensor, gain_db=gain_db, noise_seed=2 * number + k)), sensor)
            for k in (0, 1)
        )
        points.append(((one.mean() + two.mean()) / 2 - sensor.black_level_dn, ((one - two) ** 2).mean() / 2))
    return np.array(points)


def noise_formula(sensor: Sensor, gain_db: float, means_dn: np.ndarray) -> np.ndarray:
    """Variance in DN^2 of such means: shot noise, read noise, noise of rows, and rounding."""
    gain = system_gain_dn_per_e(sensor, gain_db)
    return gain * means_dn + gain**2 * (sensor.read_noise_e**2 + sensor.row_noise_e**2) + 1 / 12


def plain(preset: str) -> Sensor:
    """A preset without defective pixels, which a photon transfer curve leaves out."""
    return sensor_of(preset, hot_pixels_ppm=0, dead_pixels_ppm=0)


def photon_transfer(axes) -> None:
    for preset in _CAMERAS:
        sensor = plain(preset)
        brightest = min(0.8, 0.8 * saturation_e(sensor, 0) / white_e(sensor, 0))
        means, variances = noise_points(sensor, 0, np.geomspace(0.002, brightest, 12)).T
        full = 2**sensor.bits - 1
        (dots,) = axes.loglog(means / full, np.sqrt(variances) / full, "o", label=preset)
        axes.loglog(means / full, np.sqrt(noise_formula(sensor, 0, means)) / full, color=dots.get_color())
    axes.set(xlabel="mean, share of full scale", ylabel="noise, share of full scale", title="Photon transfer")
    axes.legend()


def gain(axes) -> None:
    sensor = plain("machine_vision")
    levels = np.linspace(0.02, 0.6, 10)
    for gain_db in (0, 12, 24):
        means, variances = noise_points(sensor, gain_db, levels).T
        (dots,) = axes.plot(levels, means / np.sqrt(variances), "o", label=f"{gain_db} dB")
        axes.plot(levels, means / np.sqrt(noise_formula(sensor, gain_db, means)), color=dots.get_color())
    axes.set(xlabel="light, 1 is white", ylabel="signal to noise", title="exposure.gain_db (machine_vision)")
    axes.legend()


def saturation(axes) -> None:
    levels = np.geomspace(0.01, 8, 24)
    for preset in _CAMERAS:
        sensor = plain(preset)
        light = np.ones((32, 32, 3), np.float32)
        raw = [green(raw_dn(light * np.float32(v), exposure(sensor)), sensor).mean() for v in levels]
        axes.semilogx(levels, np.array(raw) / (2**sensor.bits - 1), "o-", markersize=3, label=preset)
    axes.set(xlabel="light, 1 is white", ylabel="share of full scale", title="sensor.headroom_ev: saturation")
    axes.legend()


def vignettes(axes) -> None:
    for focal_mm in (14, 28, 50):
        camera = make_camera(resolution=(400, 400), focal_length_mm=float(focal_mm))
        shade = vignetting(camera, sensor_of("ideal", natural_vignetting=1.0, mechanical_vignetting_ev=0))
        diagonal = np.diagonal(shade)[200:]
        radius = np.linspace(0, 1, len(diagonal))
        axes.plot(radius[::12], diagonal[::12], "o", markersize=4, label=f"{focal_mm} mm")
        half_diagonal = np.hypot(18, 18) / focal_mm
        axes.plot(radius, np.cos(np.arctan(radius * half_diagonal)) ** 4, "k", linewidth=0.8)
    mechanical = sensor_of("ideal", natural_vignetting=0.0, mechanical_vignetting_ev=1.0)
    axes.plot(radius, np.diagonal(vignetting(camera, mechanical))[200:], "--", label="mechanical, 1 stop")
    axes.set(xlabel="distance from the axis, 1 is the corner", ylabel="light", title="Vignetting")
    axes.legend()


def point_spread(axes) -> None:
    x = np.arange(-6, 7)
    for blur_px in (0.5, 1.0, 2.0):
        point = np.zeros((31, 31, 3), np.float32)
        point[15, 15] = 1
        spread = blur(point, blur_px)[..., 1].sum(axis=0)[15 + x]
        (dots,) = axes.plot(x, spread, "o", label=f"{blur_px:g} px")
        axes.plot(
            x, np.exp(-(x**2) / (2 * blur_px**2)) / (np.sqrt(2 * np.pi) * blur_px), color=dots.get_color()
        )
    axes.set(xlabel="pixels", ylabel="light of a line", title="sensor.blur_px")
    axes.legend()


def grain(axes) -> None:
    tones = np.linspace(0.02, 0.98, 17)
    for strength in (0.25, 0.5, 1.0):
        measured = [
            np.std(add_grain(np.full((_SIDE, _SIDE, 3), tone, np.float32), strength, 1.5, 3))
            for tone in tones
        ]
        (dots,) = axes.plot(tones, measured, "o", label=f"grain {strength:g}")
        axes.plot(tones, strength * 0.08 * 4 * tones * (1 - tones), color=dots.get_color())
    axes.set(xlabel="tone of the picture", ylabel="standard deviation", title="exposure.grain")
    axes.legend()


PLOT_OF: dict[str, Callable] = {
    "photon_transfer": photon_transfer, "gain": gain, "saturation": saturation,
    "vignetting": vignettes, "point_spread": point_spread, "grain": grain,
}  # fmt: skip


def main(out: Path) -> None:
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams |= {"svg.hashsalt": "blendgen", "svg.fonttype": "none", "axes.grid": True}
    from matplotlib import pyplot

    out.mkdir(parents=True, exist_ok=True)
    for name, draw in PLOT_OF.items():
        figure, axes = pyplot.subplots(figsize=(5.2, 3.4), layout="constrained")
        draw(axes)
        figure.savefig(out / f"{name}.svg", metadata={"Date": None})
        pyplot.close(figure)
        print(out / f"{name}.svg")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else PLOTS)
