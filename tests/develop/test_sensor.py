"""The sensor against EMVA 1288's photon transfer method, for every preset."""

import numpy as np
import pytest

from blendgen.develop.sensor import (
    add_grain,
    electrons_of,
    raw_dn,
    saturation_e,
    sense,
    system_gain_dn_per_e,
)
from blendgen.spec.presets import SensorSettings, preset_names, preset_values

PRESETS = preset_names("sensors")


def settings_of(preset) -> SensorSettings:
    return SensorSettings.model_validate(preset_values("sensors", preset))


def flat_field(level, size=400):
    return np.full((size, size, 1), level)


@pytest.mark.parametrize("gain_db", [0, 12])
@pytest.mark.parametrize("preset", PRESETS)
def test_photon_transfer_has_the_slope_and_intercept_of_the_preset(preset, gain_db):
    """Variance against mean of flat fields: slope K, intercept K^2 read^2 + 1/12 (quantisation)."""
    settings = settings_of(preset)
    gain = system_gain_dn_per_e(settings, gain_db)
    levels = np.linspace(0.02, 0.6, 25)
    fields = [raw_dn(flat_field(level), settings, gain_db, seed) for seed, level in enumerate(levels)]
    means = np.array([field.mean() - settings.black_level_dn for field in fields])
    variances = np.array([field.var() for field in fields])
    # the error of a variance grows with the variance: fit with the weights that this asks for
    slope, _ = np.polyfit(means, variances, 1, w=1 / variances)
    assert slope == pytest.approx(gain, rel=0.02)


@pytest.mark.parametrize("gain_db", [0, 12])
@pytest.mark.parametrize("preset", [p for p in PRESETS if p != "ideal"])
def test_the_dark_noise_is_that_of_the_preset(preset, gain_db):
    """The intercept K^2 read^2 + 1/12 (quantisation), from dim fields.

    EMVA 1288 asks for some tenths of a DN of noise, below which quantisation is no noise of its
    own; a few electrons of light make sure of that, and their shot noise is subtracted.
    """
    settings = settings_of(preset)
    gain = system_gain_dn_per_e(settings, gain_db)
    dim = 3 * (0.5 / gain) ** 2 / electrons_of(1.0, settings, gain_db)
    field = raw_dn(flat_field(dim, 1500), settings, gain_db, 99)
    mean = field.mean() - settings.black_level_dn
    intercept = gain**2 * settings.read_noise_e**2 + 1 / 12
    assert mean == pytest.approx(gain * electrons_of(dim, settings, gain_db), rel=0.01)
    assert field.var() - gain * mean == pytest.approx(intercept, rel=0.02, abs=0.004)


@pytest.mark.parametrize("preset", PRESETS)
def test_the_sensor_is_linear_below_saturation(preset):
    settings = settings_of(preset)
    levels = np.linspace(0.05, 0.9, 12)
    read = [sense(flat_field(level, 300), settings, 0, 7).mean() for level in levels]
    assert read == pytest.approx(levels, rel=0.01)


@pytest.mark.parametrize("preset", PRESETS)
def test_doubling_the_light_doubles_the_electrons(preset):
    settings = settings_of(preset)
    assert electrons_of(0.4, settings, 6) == pytest.approx(2 * electrons_of(0.2, settings, 6))


def test_light_beyond_saturation_is_clipped_where_the_preset_says():
    settings = settings_of("machine_vision")
    brightest = sense(flat_field(100.0, 8), settings, 0, 1).max()
    assert brightest == pytest.approx(2**settings.headroom_ev, rel=1e-3)


def test_gain_halves_saturation_every_6_db():
    settings = settings_of("phone")
    assert saturation_e(settings, 20) == pytest.approx(settings.full_well_e / 10)


def test_noise_is_white_and_independent_between_channels_and_seeds():
    settings = settings_of("machine_vision")
    noise = sense(np.full((256, 256, 3), 0.3), settings, 0, 1) - 0.3
    spectrum = np.abs(np.fft.fft2(noise[..., 0] - noise[..., 0].mean())) ** 2
    low, high = spectrum[:32, :32].mean(), spectrum[96:160, 96:160].mean()
    assert low == pytest.approx(high, rel=0.15)
    other = sense(np.full((256, 256, 3), 0.3), settings, 0, 2) - 0.3
    for one, two in ((noise[..., 0], noise[..., 1]), (noise[..., 0], other[..., 0])):
        assert abs(np.corrcoef(one.ravel(), two.ravel())[0, 1]) < 0.02


def test_the_same_seed_gives_the_same_noise():
    settings = settings_of("webcam")
    picture = np.random.default_rng(0).random((20, 30, 3))
    assert np.array_equal(sense(picture, settings, 3, 5), sense(picture, settings, 3, 5))


def test_grain_has_the_stated_deviation_in_mid_grey_and_fades_at_the_ends():
    for size_px in (0.5, 1.0, 3.0):
        settings = settings_of("ideal").model_copy(update={"grain_size_px": size_px})
        grey = add_grain(np.full((256, 256, 3), 0.5, np.float32), settings, 1.0, 3)
        assert grey.std() == pytest.approx(0.08, rel=0.25)
        assert np.array_equal(grey[..., 0], grey[..., 2])
    black = add_grain(np.zeros((32, 32, 3), np.float32), settings, 1.0, 3)
    assert not black.any()


def test_no_grain_leaves_the_picture_alone():
    picture = np.random.default_rng(0).random((8, 8, 3)).astype(np.float32)
    assert add_grain(picture, settings_of("ideal"), 0, 3) is picture
