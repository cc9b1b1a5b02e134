"""Every sensor preset against the measurements of EMVA 1288: photon transfer, PRNU, DSNU, linearity."""

import numpy as np
import pytest
from scipy.special import pdtr, pdtrik

from blendgen.develop.sensor import (
    _counted,
    photo_electrons,
    raw_dn,
    sampled,
    saturation_e,
    system_gain_dn_per_e,
    white_e,
)
from blendgen.streams import noise_stream
from tests.develop.cameras import PRESETS, exposure, sensor_of

NOISY = [preset for preset in PRESETS if preset != "ideal"]
# cameras with and without a mosaic; CI measures the others too
EACH_NOISY = [
    preset if preset.startswith("machine_vision") else pytest.param(preset, marks=pytest.mark.slow)
    for preset in NOISY
]
GAINS_DB = [pytest.param(0, marks=pytest.mark.slow), 12]


def grey(level, size=400):
    return np.full((size, size, 3), level, np.float32)


def green(raw, sensor):
    """The pixels of one kind, so that all of them expect the same light."""
    if sensor.mosaic == "rggb":
        return raw[0::2, 1::2]
    return raw[..., 1] if raw.ndim == 3 else raw


def temporal_variance(sensor, level, gain_db, seeds, size=300):
    """EMVA 1288: half the variance of the difference of two frames of one camera."""
    light = grey(level, size)
    one, two = (
        green(raw_dn(light, exposure(sensor, gain_db=gain_db, noise_seed=seed)), sensor) for seed in seeds
    )
    return (one.mean() + two.mean()) / 2 - sensor.black_level_dn, ((one - two) ** 2).mean() / 2


@pytest.mark.parametrize("gain_db", GAINS_DB)
@pytest.mark.parametrize("preset", PRESETS)
def test_photon_transfer_has_the_slope_of_the_preset(preset, gain_db):
    """Variance against mean of flat fields: the slope is K, digital numbers an electron."""
    sensor = sensor_of(preset, hot_pixels_ppm=0, dead_pixels_ppm=0)
    levels = np.linspace(0.02, 0.6, 10)
    points = [temporal_variance(sensor, level, gain_db, (2 * i, 2 * i + 1)) for i, level in enumerate(levels)]
    means, variances = np.array(points).T
    # the error of a variance grows with the variance: fit with the weights that this asks for
    slope, _ = np.polyfit(means, variances, 1, w=1 / variances)
    assert slope == pytest.approx(system_gain_dn_per_e(sensor, gain_db), rel=0.02)


@pytest.mark.parametrize("gain_db", GAINS_DB)
@pytest.mark.parametrize("preset", EACH_NOISY)
def test_photon_transfer_has_the_intercept_of_the_preset(preset, gain_db):
    """Dark noise: K^2 (read^2 + row^2 + dark current) + 1/12 (quantisation), from dim fields.

    EMVA 1288 asks for some tenths of a DN of noise, below which quantisation is not independent
    noise; a few electrons of light ensure that, and their shot noise is subtracted.
    """
    sensor = sensor_of(preset, hot_pixels_ppm=0, dead_pixels_ppm=0, dsnu_e=0)
    gain = system_gain_dn_per_e(sensor, gain_db)
    dim = max(3 * (0.5 / gain) ** 2, 3 * sensor.row_noise_e, 8) / white_e(sensor, gain_db)
    mean, variance = temporal_variance(sensor, dim, gain_db, (98, 99), 900)
    dark_e = sensor.dark_current_e_per_s * 0.01
    signal_e = green(photo_electrons(grey(dim, 4), sensor, gain_db), sensor).mean()
    intercept = gain**2 * (sensor.read_noise_e**2 + sensor.row_noise_e**2 + dark_e) + 1 / 12
    # the mean of 2 x 450 rows, each with an offset of its own: four standard errors
    rows = 4 * gain * sensor.row_noise_e / np.sqrt(900)
    assert mean == pytest.approx(gain * (signal_e + dark_e), rel=0.01, abs=rows)
    # rows share their noise, and 450 rows of a kind tell its variance to 7 percent
    loose = 0.15 * gain**2 * sensor.row_noise_e**2
    assert variance - gain**2 * signal_e == pytest.approx(intercept, rel=0.03, abs=0.004 + loose)


@pytest.mark.parametrize("preset", EACH_NOISY)
def test_photo_response_non_uniformity_is_that_of_the_preset(preset):
    """Deviation of bright frames less dark frames over their mean, each the mean of many."""
    sensor = sensor_of(preset, hot_pixels_ppm=0, dead_pixels_ppm=0, row_noise_e=0, bits=16)
    frames = [raw_dn(grey(0.8, 200), exposure(sensor, noise_seed=seed)) for seed in range(60)]
    dark = [raw_dn(grey(0.0, 200), exposure(sensor, noise_seed=100 + seed)) for seed in range(60)]
    # a floor at 0 cuts dark noise off; the offsets are known, and small against the signal
    mean = green(np.mean(frames, axis=0) - np.mean(dark, axis=0), sensor)
    gain = system_gain_dn_per_e(sensor, 0)
    rest = gain**2 * (mean.mean() / gain + sensor.read_noise_e**2 * 2) / 60
    measured = np.sqrt(max(mean.var() - rest, 0)) / mean.mean() * 100
    assert measured == pytest.approx(sensor.prnu_percent, rel=0.05)


@pytest.mark.parametrize("preset", EACH_NOISY)
def test_dark_signal_non_uniformity_is_that_of_the_preset(preset):
    sensor = sensor_of(
        preset,
        hot_pixels_ppm=0,
        dead_pixels_ppm=0,
        row_noise_e=0,
        prnu_percent=0,
        bits=16,
        black_level_dn=4000,
    )
    frames = [raw_dn(grey(0.0, 300), exposure(sensor, noise_seed=seed)) for seed in range(40)]
    mean = np.mean(frames, axis=0)
    gain = system_gain_dn_per_e(sensor, 0)
    rest = gain**2 * (sensor.read_noise_e**2 + sensor.dark_current_e_per_s * 0.01) / 40 + 1 / 12 / 40
    assert np.sqrt(mean.var() - rest) / gain == pytest.approx(sensor.dsnu_e, rel=0.03)


@pytest.mark.parametrize("preset", PRESETS)
def test_the_sensor_is_linear_below_saturation(preset):
    sensor = sensor_of(preset, hot_pixels_ppm=0, dead_pixels_ppm=0)
    levels = np.linspace(0.05, 0.9, 12)
    means = np.array([green(raw_dn(grey(v, 300), exposure(sensor)), sensor).mean() for v in levels])
    dark = system_gain_dn_per_e(sensor, 0) * sensor.dark_current_e_per_s * 0.01 + sensor.black_level_dn
    scale = system_gain_dn_per_e(sensor, 0) * white_e(sensor, 0)
    assert (means - dark) / scale == pytest.approx(levels, rel=0.01)


@pytest.mark.parametrize("preset", PRESETS)
def test_doubling_the_exposure_doubles_the_electrons_before_the_converter(preset):
    light = np.random.default_rng(0).random((6, 8, 3)).astype(np.float32)
    sensor = sensor_of(preset)
    assert photo_electrons(2 * light, sensor, 6) == pytest.approx(
        2 * photo_electrons(light, sensor, 6), rel=1e-5
    )


@pytest.mark.parametrize("preset", PRESETS)
def test_dark_electrons_grow_with_the_exposure_time(preset):
    sensor = sensor_of(preset, hot_pixels_ppm=0, dead_pixels_ppm=0, dark_current_e_per_s=5000, bits=16)
    short, long = (raw_dn(grey(0.05), exposure(sensor, time_s=time_s)).mean() for time_s in (0.01, 0.11))
    assert (long - short) / system_gain_dn_per_e(sensor, 0) == pytest.approx(500, rel=0.02)


def test_light_beyond_saturation_is_clipped():
    sensor = sensor_of("machine_vision")
    assert raw_dn(grey(100.0, 8), exposure(sensor)).max() == 2**sensor.bits - 1


def test_gain_halves_saturation_every_6_db():
    sensor = sensor_of("phone")
    assert saturation_e(sensor, 20) == pytest.approx(sensor.full_well_e / 10)


def spectrum(field):
    return np.abs(np.fft.fft2(field - field.mean())) ** 2


def test_noise_is_white_without_row_noise():
    sensor = sensor_of("webcam", row_noise_e=0, mosaic="none")
    power = spectrum(raw_dn(grey(0.3, 256), exposure(sensor))[..., 0])
    low, high, row, column = power[:32, :32], power[96:160, 96:160], power[1:, 0], power[0, 1:]
    assert low[1:, 1:].mean() == pytest.approx(high.mean(), rel=0.15)
    assert row.mean() == pytest.approx(high.mean(), rel=0.4)
    assert column.mean() == pytest.approx(high.mean(), rel=0.4)


def test_row_noise_is_shared_by_rows_alone():
    """Its power stands in the spectrum's first column, and has the stated deviation."""
    sensor = sensor_of("webcam", row_noise_e=30, mosaic="mono", prnu_percent=0, dsnu_e=0, bits=16)
    frame = raw_dn(grey(0.3, 512), exposure(sensor)) / system_gain_dn_per_e(sensor, 0)
    power = spectrum(frame)
    assert power[1:, 0].mean() > 50 * power[0, 1:].mean()
    assert frame.mean(axis=1).std() == pytest.approx(30, rel=0.1)
    assert frame.mean(axis=0).std() < 3


def test_noise_is_independent_between_channels_and_seeds():
    sensor = sensor_of("ideal", read_noise_e=1000)
    one, two = (raw_dn(grey(0.3, 256), exposure(sensor, noise_seed=seed)) for seed in (1, 2))
    for a, b in ((one[..., 0], one[..., 1]), (one[..., 0], two[..., 0])):
        assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < 0.02


def test_the_same_seed_gives_the_same_noise():
    light = np.random.default_rng(0).random((20, 30, 3)).astype(np.float32)
    taken = exposure(sensor_of("webcam"), gain_db=3, noise_seed=5)
    assert np.array_equal(raw_dn(light, taken), raw_dn(light, taken))


def test_fixed_patterns_belong_to_the_camera_and_noise_to_the_image():
    sensor = sensor_of("cctv", hot_pixels_ppm=3000, dead_pixels_ppm=3000)
    other = sensor.model_copy(update={"pattern_seed": 77})
    frames = [raw_dn(grey(0.3, 200), exposure(sensor, noise_seed=seed)) for seed in (1, 2)]
    elsewhere = raw_dn(grey(0.3, 200), exposure(other, noise_seed=1))
    stays_black = [frame == frame.min() for frame in (*frames, elsewhere)]
    assert stays_black[0].sum() == pytest.approx(0.003 * 200 * 200, rel=0.5)
    assert (stays_black[0] & stays_black[1]).sum() > 0.8 * stays_black[0].sum()
    assert (stays_black[0] & stays_black[2]).sum() < 0.1 * stays_black[0].sum()


def test_the_noise_free_twin_is_what_noise_averages_to():
    sensor = sensor_of("machine_vision", prnu_percent=0, dsnu_e=0, dark_current_e_per_s=0)
    light = np.random.default_rng(0).uniform(0.1, 0.6, (24, 32, 3)).astype(np.float32)
    clean = raw_dn(light, exposure(sensor), noise=False)
    noisy = np.mean([raw_dn(light, exposure(sensor, noise_seed=seed)) for seed in range(200)], axis=0)
    assert noisy == pytest.approx(clean, rel=0.03)


def test_a_mosaic_keeps_one_colour_a_pixel():
    rgb = np.zeros((4, 6, 3), np.float32) + [1, 2, 3]
    assert sampled(rgb).tolist() == [[1, 2] * 3, [2, 3] * 3] * 2


@pytest.mark.parametrize("mean_e", [3.0, 127.0, 129.0, 2000.0])
def test_electrons_are_poisson_distributed_however_many_there_are(mean_e):
    counted = _counted(np.full((400, 400), mean_e), noise_stream(4, "test"))
    assert (counted == np.rint(counted)).all() and counted.min() >= 0
    edges = np.unique(np.ceil(pdtrik(np.linspace(0.02, 0.98, 13), mean_e)))
    expected = np.diff([0.0, *pdtr(edges, mean_e), 1.0]) * counted.size
    counts = np.bincount(np.searchsorted(edges, counted.ravel()), minlength=len(expected))
    assert np.sum((counts - expected) ** 2 / expected) < 2.5 * len(expected)  # chi squared
    skewness = np.mean((counted - counted.mean()) ** 3) / counted.std() ** 3
    assert counted.mean() == pytest.approx(mean_e, rel=4 / np.sqrt(mean_e * counted.size))
    assert counted.var() == pytest.approx(mean_e, rel=0.015)
    assert skewness == pytest.approx(mean_e**-0.5, abs=0.025)


def test_light_that_is_not_a_number_is_an_error():
    broken = np.full((4, 4), 500.0)
    broken[1, 2] = np.nan
    with pytest.raises(ValueError, match="lam"):
        _counted(broken, noise_stream(4, "test"))
