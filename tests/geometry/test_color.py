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
