import numpy as np
import pytest

from blendgen.color import hex_to_linear, hex_to_srgb
from blendgen.develop.denoise import Denoiser
from blendgen.develop.develop import Developer
from blendgen.develop.display import to_8_bit, to_display
from blendgen.develop.relight import mix_groups
from blendgen.shot import Exposure, Film
from blendgen.spec.presets import SensorSettings, preset_values

IDEAL = SensorSettings.model_validate(preset_values("sensors", "ideal"))


def exposure(**changes) -> Exposure:
    values = {
        "index": 0,
        "group_gain": {"environment": (1, 1, 1), "lamp_0": (1, 1, 1)},
        "camera_gain": 1.0,
        "white_balance_gain": (1, 1, 1),
        "gain_db": 0,
        "grain": 0,
        "environment_ev": 0,
        "lamp_ev": (),
        "lamp_temperature_k": (),
        "camera_ev": 0,
        "noise_seed": 1,
        **changes,
    }
    return Exposure(**values)


def film(**groups) -> Film:
    shape = next(iter(groups.values())).shape
    return Film(
        radiance_linear={name: group.astype(np.float32) for name, group in groups.items()},
        depth_m=np.ones(shape[:2], np.float32),
        instance_id=np.zeros(shape[:2], np.uint16),
        amodal_mask={},
        albedo_linear=np.ones(shape, np.float32),
        normal_world=np.zeros(shape, np.float32),
    )


@pytest.mark.parametrize(
    "color", ["#000000", "#ffffff", "#808080", "#1f2a44", "#d9334c", "#30a060", "#0a0b0c"]
)
def test_a_patch_under_white_light_comes_back_in_its_own_colour(color):
    """sRGB colour c as albedo under radiance 1 at exposure 0, with the Standard view: within 2/255."""
    patch = film(environment=np.full((16, 16, 3), hex_to_linear(color)))
    only = exposure(group_gain={"environment": (1, 1, 1)})
    (picture,) = Developer(IDEAL, None, 1).develop(patch, (only,))
    assert np.abs(picture.astype(int) - np.round(np.array(hex_to_srgb(color)) * 255)).max() <= 2


def test_light_adds_up():
    rng = np.random.default_rng(0)
    a, b = rng.random((2, 8, 8, 3)).astype(np.float32)
    mixed = mix_groups(
        {"environment": a, "lamp_0": b}, exposure(group_gain={"environment": (1, 2, 3), "lamp_0": (4, 0, 1)})
    )
    assert np.allclose(mixed, a * [1, 2, 3] + b * [4, 0, 1], atol=1e-6)


def test_one_stop_more_doubles_the_light():
    grey = film(environment=np.full((64, 64, 3), 0.1), lamp_0=np.zeros((64, 64, 3)))
    developer = Developer(IDEAL, None, 1)
    once, twice = developer.develop(grey, (exposure(), exposure(camera_gain=2.0)))
    linear = [((p / 255 + 0.055) / 1.055) ** 2.4 for p in (once.mean(), twice.mean())]
    assert linear[1] / linear[0] == pytest.approx(2, rel=0.02)


def test_the_lens_blurs_as_stated_and_keeps_the_light():
    from blendgen.develop.lens import blur

    point = np.zeros((41, 41, 3), np.float32)
    point[20, 20] = 1
    spread = blur(point, 1.5)
    assert spread.sum(axis=(0, 1)) == pytest.approx([1, 1, 1], abs=1e-4)
    offsets = np.arange(41) - 20
    assert (spread[..., 0].sum(axis=0) * offsets**2).sum() == pytest.approx(1.5**2, rel=0.02)
    assert blur(point, 0) is point


def test_white_balance_corrects_the_colour_of_the_light():
    light = np.array([1.4, 1.0, 0.5])
    warm = film(environment=np.full((32, 32, 3), 0.3 * light), lamp_0=np.zeros((32, 32, 3)))
    balanced = exposure(white_balance_gain=tuple(1 / light))
    (picture,) = Developer(IDEAL, None, 1).develop(warm, (balanced,))
    assert np.ptp(picture.reshape(-1, 3).mean(axis=0)) < 1


def test_the_way_of_denoising_follows_from_the_spec_not_from_what_is_missing():
    rng = np.random.default_rng(0)
    noisy = film(environment=rng.random((32, 32, 3)), lamp_0=rng.random((32, 32, 3)))
    developer = Developer(IDEAL, Denoiser(1), exposures_per_shot=4)
    wanted = tuple(exposure(index=i, noise_seed=i, camera_gain=0.3 + 0.1 * i) for i in range(4))
    together = developer.develop(noisy, wanted)
    alone = developer.develop(noisy, wanted[2:3])[0]
    assert np.array_equal(together[2], alone)


def test_denoising_takes_noise_out_and_keeps_the_light():
    rng = np.random.default_rng(0)
    clean = np.full((64, 64, 3), 0.4, np.float32)
    noisy = (clean * rng.gamma(4, 0.25, clean.shape)).astype(np.float32)
    guides = np.full_like(clean, 0.5), np.broadcast_to(np.float32([0, 0, 1]), clean.shape)
    denoised = Denoiser(1)(noisy, *guides)
    assert denoised.std() < noisy.std() / 4
    assert denoised.mean() == pytest.approx(noisy.mean(), rel=0.03)


def test_denoising_does_not_depend_on_threads():
    noisy = np.random.default_rng(0).random((48, 40, 3)).astype(np.float32)
    flat = np.ones_like(noisy)
    assert np.array_equal(Denoiser(1)(noisy, flat, flat), Denoiser(2)(noisy, flat, flat))


@pytest.mark.parametrize("view", ["AgX", "Filmic", "Standard"])
def test_every_view_is_monotone_and_neutral_for_greys(view):
    grey = np.repeat(np.logspace(-4, 1, 200, dtype=np.float32), 3).reshape(1, 200, 3)
    shown = to_display(grey, view)
    assert np.all(np.diff(shown[0, :, 1]) >= -1e-6)
    assert np.ptp(shown, axis=-1).max() < 0.01
    assert shown.min() >= 0 and shown.max() <= 1


def test_the_standard_view_is_blenders_own():
    from blendgen.develop.display import _processor

    values = np.random.default_rng(0).random((64, 64, 3)).astype(np.float32)
    theirs = values.copy()
    _processor("Standard").applyRGB(theirs)
    assert np.abs(to_8_bit(theirs).astype(int) - to_8_bit(to_display(values, "Standard"))).max() <= 1
