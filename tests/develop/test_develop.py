import numpy as np
import pytest

from blendgen.develop import develop
from blendgen.develop.denoise import Denoiser
from blendgen.develop.develop import Developer, finish
from blendgen.develop.display import to_8_bit, to_display
from blendgen.develop.encode import through_jpeg
from blendgen.develop.grain import add_grain
from blendgen.develop.relight import mix_groups
from blendgen.geometry.color import blackbody_linear, hex_to_linear, hex_to_srgb, white_balance_gain
from blendgen.geometry.projection import NO_DISTORTION
from blendgen.pipeline import Task
from blendgen.scene.film import Film
from tests.conftest import make_spec
from tests.develop.cameras import PRESETS, camera, exposure, sensor_of


def developed(shot_film, *exposures, denoiser=None, exposures_per_shot=1):
    """The pictures of a film under some exposures."""
    height, width = shot_film.depth_m.shape
    lit = Developer(denoiser, exposures_per_shot).lit(shot_film, exposures)
    return [finish(sum(p.values()), camera(width, height), e) for p, e in zip(lit, exposures, strict=True)]


def film(**groups) -> Film:
    shape = next(iter(groups.values())).shape
    return Film(
        radiance_linear={name: group.astype(np.float32) for name, group in groups.items()},
        depth_m=np.ones(shape[:2], np.float32),
        instance_id=np.zeros(shape[:2], np.uint16),
        amodal_masks={},
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
    (picture,) = developed(patch, only)
    assert np.abs(picture.astype(int) - np.round(np.array(hex_to_srgb(color)) * 255)).max() <= 2


def test_a_film_without_any_light_is_a_black_picture():
    dark = film(environment=np.zeros((16, 16, 3)), lamp_0=np.zeros((16, 16, 3)))
    for per_shot in (1, 4):
        (picture,) = developed(dark, exposure(), denoiser=Denoiser(), exposures_per_shot=per_shot)
        assert not picture.any()


def test_light_adds_up():
    rng = np.random.default_rng(0)
    a, b = rng.random((2, 8, 8, 3)).astype(np.float32)
    mixed = mix_groups(
        {"environment": a, "lamp_0": b}, exposure(group_gain={"environment": (1, 2, 3), "lamp_0": (4, 0, 1)})
    )
    assert np.allclose(mixed, a * [1, 2, 3] + b * [4, 0, 1], atol=1e-6)


class CountingDenoiser:
    """Leaves the light as it is and counts."""

    def __init__(self):
        self.calls = 0

    def __call__(self, radiance, albedo, normal):
        self.calls += 1
        return radiance


def test_groups_that_no_exposure_changes_are_denoised_together_and_add_up_to_the_same():
    rng = np.random.default_rng(3)
    light = {name: rng.random((8, 8, 3)) for name in ("environment", "emission", "lamp_0", "lamp_1")}
    fixed = {"environment": (0.2, 0.3, 0.1), "emission": (1, 1, 1), "lamp_1": (2, 0, 1)}
    exposures = tuple(exposure(group_gain=fixed | {"lamp_0": (k, k, 1)}) for k in range(1, 6))
    each, together = CountingDenoiser(), CountingDenoiser()
    apart = list(Developer(each, 5).lit(film(**light), exposures))
    merged = list(Developer(together, 5).lit(film(**light), exposures, steady=fixed))
    assert (each.calls, together.calls) == (4, 2)
    for a, b in zip(apart, merged, strict=True):
        assert np.allclose(sum(a.values()), sum(b.values()), atol=1e-5)
    # some of the exposures come to the very same light as all of them
    alone = list(Developer(together, 5).lit(film(**light), exposures[3:4], steady=fixed))
    assert all(np.array_equal(alone[0][s], merged[3][s]) for s in merged[3])


def test_flashes_are_not_merged_with_steady_light():
    light = {name: np.ones((4, 4, 3)) for name in ("environment", "emission", "lamp_0", "lamp_1")}
    flash = {"group_time_s": {"lamp_0": 0.001, "lamp_1": 0.001}, "time_s": 0.01}
    gains = dict.fromkeys(light, (1, 1, 1))
    denoiser = CountingDenoiser()
    exposures = tuple(exposure(group_gain=gains, **flash) for _ in range(4))
    parts = list(Developer(denoiser, 4).lit(film(**light), exposures, steady=gains))
    assert denoiser.calls == 2 and all(set(p) == {0.01, 0.001} for p in parts)
    assert all(np.allclose(light, 2) for p in parts for light in p.values())


def test_one_stop_more_doubles_the_light():
    grey = film(environment=np.full((64, 64, 3), 0.1), lamp_0=np.zeros((64, 64, 3)))
    once, twice = developed(grey, exposure(), exposure(camera_gain=2.0))
    linear = [((p / 255 + 0.055) / 1.055) ** 2.4 for p in (once.mean(), twice.mean())]
    assert linear[1] / linear[0] == pytest.approx(2, rel=0.02)


def test_white_balance_corrects_the_colour_of_the_light():
    light = np.array([1.4, 1.0, 0.5])
    warm = film(environment=np.full((32, 32, 3), 0.3 * light), lamp_0=np.zeros((32, 32, 3)))
    balanced = exposure(white_balance_gain=tuple(1 / light))
    (picture,) = developed(warm, balanced)
    assert np.ptp(picture.reshape(-1, 3).mean(axis=0)) < 1


@pytest.mark.parametrize("preset", [p for p in PRESETS if "mono" not in p])
@pytest.mark.parametrize("temperature_k", [2700, 3000, 9000])
def test_greys_stay_grey_up_to_and_past_saturation_under_coloured_light(preset, temperature_k):
    """And white is reached: coloured light fills the pixels of one colour first."""
    light = np.array(blackbody_linear(temperature_k))
    ramp = np.repeat(np.linspace(0.05, 4, 8), 8)[None, :, None] * light * np.ones((48, 1, 1))
    sensor = sensor_of(preset, sharpening=0, noise_reduction=0, chromatic_aberration_px=0, blur_px=0)
    taken = exposure(sensor, light_linear=tuple(light), white_balance_gain=white_balance_gain(light, 1.0))
    picture = finish(ramp.astype(np.float32), camera(), taken, noise=False).astype(int)
    patches = picture[24, 4::8]
    assert np.ptp(patches, axis=-1).max() <= 6
    assert patches[-1].min() >= (200 if sensor.view == "AgX" else 235)


def test_the_way_of_denoising_follows_from_the_spec_not_from_what_is_missing():
    rng = np.random.default_rng(0)
    noisy = film(environment=rng.random((32, 32, 3)), lamp_0=rng.random((32, 32, 3)))
    wanted = tuple(exposure(index=i, noise_seed=i, camera_gain=0.3 + 0.1 * i) for i in range(4))
    denoiser = Denoiser(1)
    together = developed(noisy, *wanted, denoiser=denoiser, exposures_per_shot=4)
    (alone,) = developed(noisy, wanted[2], denoiser=denoiser, exposures_per_shot=4)
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


@pytest.mark.slow
def test_denoising_in_tiles_changes_nothing():
    size = (800, 1000, 3)
    noisy = np.random.default_rng(0).gamma(2, 0.5, size).astype(np.float32)
    flat = np.ones_like(noisy)
    assert np.array_equal(Denoiser(1)(noisy, flat, flat), Denoiser(1, max_memory_mb=200)(noisy, flat, flat))


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


def test_grain_has_the_stated_deviation_in_mid_grey_and_fades_at_the_ends():
    for size_px in (0.5, 1.0, 3.0):
        grey = add_grain(np.full((256, 256, 3), 0.5, np.float32), 1.0, size_px, 3)
        assert grey.std() == pytest.approx(0.08, rel=0.25)
        assert np.array_equal(grey[..., 0], grey[..., 2])
    assert not add_grain(np.zeros((32, 32, 3), np.float32), 1.0, 1.0, 3).any()


@pytest.mark.parametrize("size_px", [4, 8])
def test_grain_fades_to_a_correlation_of_1_over_e_at_its_size(size_px):
    grey = add_grain(np.full((256, 256, 3), 0.5, np.float32), 1.0, size_px, 3)[..., 0]
    moved = np.roll(grey, size_px, axis=1)
    assert np.corrcoef(grey.ravel(), moved.ravel())[0, 1] == pytest.approx(np.exp(-1), abs=0.08)


def test_no_grain_leaves_the_picture_alone():
    picture = np.random.default_rng(0).random((8, 8, 3)).astype(np.float32)
    assert add_grain(picture, 0, 1.0, 3) is picture


def test_compression_inside_the_camera_costs_more_at_lower_quality():
    picture = np.random.default_rng(0).integers(0, 255, (32, 32, 3), np.uint8)
    errors = [np.abs(through_jpeg(picture, q).astype(int) - picture).mean() for q in (95, 60, 20)]
    assert errors == sorted(errors) and errors[0] > 0


@pytest.mark.parametrize("preset", PRESETS)
def test_the_clean_twin_differs_by_noise_alone(preset):
    rng = np.random.default_rng(1)
    scene = np.kron(rng.uniform(0.1, 0.7, (6, 8, 3)), np.ones((8, 8, 1))).astype(np.float32)
    taken = exposure(sensor_of(preset), grain=0.5)
    noisy, clean = (finish(scene, camera(), taken, noise=noise).astype(int) for noise in (True, False))
    again = finish(scene, camera(), taken.model_copy(update={"noise_seed": 9}), noise=False)
    assert np.array_equal(clean, again)
    assert np.abs(noisy - clean).mean() > 1
    assert np.abs((noisy - clean).mean()) < 4


def test_a_clean_picture_alone_is_that_of_a_data_set_and_takes_no_noisy_one(flat_pipeline, monkeypatch):
    pipeline = flat_pipeline(make_spec(sensor="webcam", output={"clean": True}, exposures_per_shot=2))
    frames = list(pipeline.frames(Task(0, (0, 1))))
    raw, noises = develop.raw_dn, []
    monkeypatch.setattr(
        develop, "raw_dn", lambda light, e, noise: noises.append(noise) or raw(light, e, noise)
    )
    for frame in frames:
        assert np.array_equal(pipeline.clean_picture(frame.shot, frame.exposure), frame.clean_u8)
    assert noises == [False, False]


def test_pictures_have_the_frame_of_the_camera_and_not_of_the_pinhole_that_is_rendered(flat_pipeline):
    """One call blurs, distorts and counts: a shot on a moving belt, out of focus, through a barrel lens."""
    spec = make_spec(
        camera={"distortion": {"k1": -0.2}, "f_number": 2.8, "focal_length_mm": 35},
        surface={"kind": "belt_rubber", "speed_m_per_s": 0.5},
    )
    pipeline = flat_pipeline(spec)
    (frame,) = pipeline.frames(Task(0, (0,)))
    film = pipeline.engine.render(frame.shot)
    assert film.depth_m.shape[0] > 48 and film.depth_m.shape[1] > 64
    sharp, straight = (
        frame.shot.model_copy(update={"camera": frame.shot.camera.model_copy(update=changes)})
        for changes in ({"f_number": None}, {"distortion": NO_DISTORTION})
    )
    pictures = [
        next(pipeline.developer.develop(pipeline.engine.render(shot), shot, (frame.exposure,), clean=True))
        for shot in (frame.shot, sharp, straight)
    ]
    assert np.array_equal(pictures[0].rgb_u8, frame.rgb_u8) and frame.rgb_u8.shape == (48, 64, 3)
    for other in pictures[1:]:
        assert other.rgb_u8.shape == (48, 64, 3) and (other.rgb_u8 != frame.rgb_u8).any()
    assert pictures[0].clean_u8.shape == (48, 64, 3)
