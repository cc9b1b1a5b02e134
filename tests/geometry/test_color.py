import warnings

import numpy as np
import pytest

from blendgen.geometry.color import (
    blackbody_linear,
    hex_to_linear,
    hex_to_srgb,
    linear_to_srgb,
    luminance,
    srgb_to_linear,
)


def test_srgb_and_linear_are_inverses():
    values = np.linspace(0, 1, 1001)
    assert np.allclose(linear_to_srgb(srgb_to_linear(values)), values, atol=1e-6)


def test_mid_grey_has_the_published_linear_value():
    assert srgb_to_linear(0.5) == pytest.approx(0.214041, abs=1e-6)


def test_hex_colours_are_decoded_as_srgb():
    assert hex_to_srgb("#ff8000") == pytest.approx((1, 128 / 255, 0))
    assert hex_to_linear("#ffffff") == pytest.approx((1, 1, 1))


@pytest.mark.parametrize("text", ["ff8000", "#ff80", "#ggg000", "red", ""])
def test_other_colour_formats_are_rejected(text):
    with pytest.raises(ValueError, match="#rrggbb"):
        hex_to_srgb(text)


def test_a_black_body_has_unit_luminance_and_changes_from_red_to_blue():
    temperatures = np.linspace(1700, 20000, 60)
    colours = np.array([blackbody_linear(t) for t in temperatures])
    assert np.allclose(luminance(colours), 1)
    assert np.all(np.diff(colours[:, 2] / colours[:, 0]) > 0)


def test_a_black_body_of_6500_kelvin_is_nearly_white():
    """Nearly: D65 is not exactly on the Planckian locus."""
    assert blackbody_linear(6504) == pytest.approx((1, 1, 1), abs=0.06)


@pytest.fixture(scope="module")
def colour():
    """colour-science, which warns about optional packages while it is imported."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("colour")


def linear_of_xy(colour, xy):
    """The colour of a chromaticity with luminance 1; linear Rec. 709, without negative light."""
    xyz_to_rgb = np.linalg.inv(colour.RGB_COLOURSPACES["sRGB"].matrix_RGB_to_XYZ)
    rgb = np.maximum(xyz_to_rgb @ colour.xy_to_XYZ(xy), 0)
    return rgb / luminance(rgb)


@pytest.mark.parametrize("temperature_k", [1667, 2000, 2222, 2223, 3000, 4000, 4001, 6504, 25000])
def test_a_black_body_has_the_published_colour(colour, temperature_k):
    """As colour-science computes it, by the same spline and from the spectrum of Planck."""
    color = blackbody_linear(temperature_k)
    spline_xy = colour.CCT_to_xy(temperature_k, method="Kang 2002")
    assert color == pytest.approx(linear_of_xy(colour, spline_xy), abs=5e-4)
    planck_xy = colour.XYZ_to_xy(colour.sd_to_XYZ(colour.sd_blackbody(temperature_k)))
    assert color == pytest.approx(linear_of_xy(colour, planck_xy), abs=6e-3)


@pytest.mark.parametrize("temperature_k", [1666, 25001])
def test_a_colour_temperature_outside_the_spline_is_rejected(temperature_k):
    with pytest.raises(ValueError, match="1667 to 25000 K"):
        blackbody_linear(temperature_k)
