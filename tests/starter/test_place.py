"""A photo of a place says what it shows, in marked guesses, and what it does not say is said as well."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from PIL import ExifTags, Image
from PIL.TiffImagePlugin import IFDRational
from scipy.ndimage import gaussian_filter

from blendgen.errors import SetupError, UsageError
from blendgen.files import photos
from blendgen.files.photos import read_photo
from blendgen.geometry.color import blackbody_linear, hex_to_srgb, linear_to_srgb, srgb_to_linear
from blendgen.photos.background import background
from blendgen.photos.detail import blur_px, noise_levels
from blendgen.starter.place import Place, read_place
from blendgen.starter.ranges import Sizes
from tests.starter.sized_models import started, value, write_models

BELT, WHITE = (0.16, 0.30, 0.24), (0.9, 0.9, 0.9)
CUP = Sizes(0.1, 0.1, 0.1)
TAGS = ExifTags.Base


def scene(light=(1.0, 1.0, 1.0), surface=BELT, thing=WHITE, noise=0.0, size=(320, 240), seed=1) -> np.ndarray:
    """(h, w, 3) uint8: a thing in the middle of a surface that is lit a little unevenly."""
    width, height = size
    rng = np.random.Generator(np.random.PCG64(seed))
    linear = np.broadcast_to(np.array(surface), (height, width, 3)).copy()
    linear *= np.linspace(0.85, 1.15, width)[None, :, None]
    linear[height // 3 : 2 * height // 3, width // 3 : 2 * width // 3] = thing
    levels = 255 * linear_to_srgb(linear * np.array(light)) + rng.normal(0, noise, (height, width, 3))
    return np.round(np.clip(levels, 0, 255)).astype(np.uint8)


def place_of(tmp_path, image: np.ndarray, sizes=CUP, name="belt.png", **options) -> Place:
    Image.fromarray(image).save(tmp_path / name, **options)
    return read_place(tmp_path / name, sizes)


def exif_of(**values) -> Image.Exif:
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.Exif).update({TAGS[name]: one for name, one in values.items()})
    return exif


def chosen(place: Place, field: str):
    guess = place.guess(field)
    return None if guess is None else guess.value


def colors(place: Place) -> list[np.ndarray]:
    return [srgb_to_linear(hex_to_srgb(text)) for text in chosen(place, "surface.color")["choice"]]


def test_the_colour_of_the_surface_is_that_around_the_things(tmp_path):
    main, darker, lighter = colors(place_of(tmp_path, scene()))
    np.testing.assert_allclose(main, BELT, rtol=0.06)
    assert (darker < main).all() and (main < lighter).all()


def test_a_photo_of_many_colours_has_no_colour_of_the_surface(tmp_path):
    rng = np.random.Generator(np.random.PCG64(2))
    blocks = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
    place = place_of(tmp_path, np.kron(blocks, np.ones((32, 32, 1), np.uint8)))
    assert place.guess("surface.color") is None
    assert any("the colour of the surface: no colour has 25% of the photo" in one for one in place.not_read)


def test_the_colour_of_a_warm_light_goes_to_the_light_and_not_to_the_surface(tmp_path):
    place = place_of(tmp_path, scene(light=0.7 * np.array(blackbody_linear(4300))))
    low, high = chosen(place, "exposure.lamp_temperature_k")["uniform"]
    assert low < 4300 < high and high - low < 1000
    assert chosen(place, "exposure.white_balance_mode") == "fixed"
    main = colors(place)[0]
    np.testing.assert_allclose(main / main.sum(), np.array(BELT) / sum(BELT), atol=0.03)


def test_white_things_in_white_light_mean_a_camera_that_corrects(tmp_path):
    place = place_of(tmp_path, scene())
    assert chosen(place, "exposure.white_balance") == {"uniform": [0.85, 1]}
    assert place.guess("exposure.lamp_temperature_k") is None


def test_a_coloured_surface_alone_does_not_say_what_its_light_is(tmp_path):
    place = place_of(tmp_path, scene(thing=BELT))
    assert not {"exposure.white_balance", "exposure.lamp_temperature_k"} & {
        one.field for one in place.guesses
    }
    assert any("the colour of the light: nothing in the photo is white" in one for one in place.not_read)


def test_an_overexposed_photo_makes_bright_images(tmp_path):
    usual, bright = (place_of(tmp_path, scene(thing=(level,) * 3)) for level in (0.8, 2.0))
    ev = [chosen(place, "exposure.camera_ev")["truncated_normal"][0] for place in (usual, bright)]
    assert ev[0] == 0 < ev[1]


@pytest.mark.parametrize(
    ("size", "expected"), [((320, 240), [296, 224]), ((90, 160), [88, 160]), ((1600, 200), [1600, 200])]
)
def test_images_have_the_shape_of_the_photo(tmp_path, size, expected):
    assert place_of(tmp_path, scene(size=size)).resolution.value == expected


def test_an_upright_photo_is_upright_also_if_it_is_stored_lying(tmp_path):
    exif = exif_of(FocalLengthIn35mmFilm=50)
    exif[TAGS.Orientation] = 6
    place = place_of(tmp_path, scene(), name="a.jpg", exif=exif)
    assert place.resolution.value == [224, 296]
    assert chosen(place, "camera.sensor_width_mm") == 27


def test_the_lens_and_the_shutter_are_those_of_the_exif_data(tmp_path):
    exif = exif_of(FocalLengthIn35mmFilm=50, FocalLength=IFDRational(35, 1), ExposureTime=IFDRational(1, 100))
    place = place_of(tmp_path, scene(), name="a.jpg", exif=exif)
    low, high = chosen(place, "camera.focal_length_mm")["uniform"]
    assert low < 50 < high
    low, high = chosen(place, "exposure.time_s")["log_uniform"]
    assert low < 0.01 < high
    assert place.guess("sensor") is None


def test_a_phone_is_known_by_its_short_lens(tmp_path):
    exif = exif_of(FocalLengthIn35mmFilm=26, FocalLength=IFDRational(57, 10))
    assert chosen(place_of(tmp_path, scene(), name="a.jpg", exif=exif), "sensor") == "phone"


def test_a_wide_lens_is_not_used_where_it_would_touch_the_models(tmp_path):
    exif = exif_of(FocalLengthIn35mmFilm=26)
    place = place_of(tmp_path, scene(), sizes=Sizes(0.01, 0.02, 0.03), name="a.jpg", exif=exif)
    assert place.guess("camera.focal_length_mm") is None
    assert any("26 mm would be 22 mm from the models" in one for one in place.not_read)


def test_absurd_exif_data_are_as_none(tmp_path):
    exif = exif_of(FocalLengthIn35mmFilm=65535, FocalLength=IFDRational(1, 0), ExposureTime=IFDRational(0, 0))
    place = place_of(tmp_path, scene(), name="a.jpg", exif=exif)
    assert not {"camera.focal_length_mm", "exposure.time_s", "sensor"} & {one.field for one in place.guesses}


@pytest.mark.parametrize("deviation", [1.5, 4.0, 9.0])
def test_the_noise_of_a_photo_is_measured(deviation):
    luma = scene(noise=deviation)[..., 1].astype(np.float32)
    noise, _ = noise_levels(luma)
    assert noise == pytest.approx(deviation, rel=0.15)


def test_more_noise_means_a_higher_gain(tmp_path):
    gains = [
        chosen(place_of(tmp_path, scene(noise=noise)), "exposure.gain_db")["uniform"] for noise in (0.2, 3, 8)
    ]
    assert gains == sorted(gains) and gains[0] == [0, 6] and gains[2][0] > gains[1][0]


@pytest.mark.parametrize("deviation", [0.8, 1.5, 3.0])
def test_the_blur_of_edges_is_measured(deviation):
    luma = gaussian_filter(scene()[..., 1].astype(np.float32), deviation)
    assert blur_px(luma) == pytest.approx(deviation, rel=0.2)


def test_a_blurred_photo_has_a_blurred_sensor(tmp_path):
    image = gaussian_filter(scene(), (2, 2, 0))
    low, high = chosen(place_of(tmp_path, image), "sensor")["blur_px"]["uniform"]
    assert low < 2 * 224 / 240 < high
    assert any("its edges are blurred" in one.reason for one in place_of(tmp_path, image).guesses)


@pytest.mark.parametrize("size", [(1, 1), (16, 3), (40, 40)])
@pytest.mark.parametrize("color", [(0.0, 0.0, 0.0), (1.0, 1.0, 1.0), BELT])
def test_photos_that_show_nothing_can_be_used(tmp_path, size, color):
    image = np.broadcast_to((255 * np.array(color)).astype(np.uint8), (size[1], size[0], 3))
    place = place_of(tmp_path, np.ascontiguousarray(image))
    assert place.guesses and place.not_read


def test_a_spec_from_a_photo_of_one_pixel_is_valid(tmp_path):
    Image.new("RGB", (1, 1)).save(tmp_path / "belt.png")
    models = write_models(tmp_path / "m", a__glb="0.1 0.1 0.1")
    assert started(tmp_path / "d", models, tmp_path / "belt.png").from_photo


def test_what_comes_from_the_photo_is_marked_in_the_spec(tmp_path):
    Image.fromarray(scene()).save(tmp_path / "my\nbelt.png")
    models = write_models(tmp_path / "m", a__glb="0.1 0.1 0.1")
    result = started(tmp_path / "d", models, tmp_path / "my\nbelt.png")
    text = result.spec.read_text()
    assert text.count("guess from my belt.png: ") == len(result.from_photo) >= 5
    assert value(result, "surface.kind")["choice"] == ["belt_pvc", "paper"]
    assert "the direction of the light" in result.not_read[-1]


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n123", b"text"])
def test_a_file_that_is_not_a_photo_is_named(tmp_path, content):
    (tmp_path / "belt.png").write_bytes(content)
    with pytest.raises(UsageError, match=r"belt.png: .+; --from expects a photo"):
        read_place(tmp_path / "belt.png", CUP)


def test_heic_without_its_reader_is_a_matter_of_setup(tmp_path, monkeypatch):
    photos._read_heic.cache_clear()
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    (tmp_path / "belt.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    with pytest.raises(SetupError, match=r"belt.heic: HEIC needs pillow-heif: pip install"):
        read_place(tmp_path / "belt.heic", CUP)


def test_the_background_is_found_for_any_size_of_the_file(tmp_path):
    Image.fromarray(scene(size=(640, 480))).save(tmp_path / "a.webp", quality=90)
    assert background(read_photo(tmp_path / "a.webp", 64)).share > 0.5
