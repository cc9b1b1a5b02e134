"""A word is suggested for one with a typing error, and not for one that only has the same unit or ending."""

from __future__ import annotations

import pytest

from blendgen.similar import closest

CAMERA = ("distance_m", "focal_length_mm", "roll_deg", "elevation_deg", "azimuth_deg", "sensor_width_mm")
OPTIONS = ("--force", "--images", "--set", "--strict", "--seed", "--workers", "--help", "--quiet")


@pytest.mark.parametrize(
    ("word", "known", "nearest"),
    [
        ("rol_deg", CAMERA, "roll_deg"),
        ("Roll_Deg", CAMERA, "roll_deg"),
        ("roll_rad", CAMERA, "roll_deg"),
        ("roll", CAMERA, "roll_deg"),
        ("elevaton", CAMERA, "elevation_deg"),
        ("azimut_deg", CAMERA, "azimuth_deg"),
        ("distance_cm", CAMERA, "distance_m"),
        ("focal", CAMERA, "focal_length_mm"),
        ("fov_deg", CAMERA, None),
        ("tilt_deg", CAMERA, None),
        ("width_mm", CAMERA, "sensor_width_mm"),
        ("lens_mm", CAMERA, None),
        ("camera.fov_deg", ("camera.roll_deg", "camera.distance_m"), None),
        ("camera.rol_deg", ("camera.roll_deg", "camera.distance_m"), "camera.roll_deg"),
        ("surface.kind", ("shot.surface.kind", "shot.camera.kind"), "shot.surface.kind"),
        ("--imges", OPTIONS, "--images"),
        ("--strct", OPTIONS, "--strict"),
        ("--format", OPTIONS, None),
        ("--size", OPTIONS, None),
        ("gerenate", ("generate", "compare", "evaluate"), "generate"),
        ("make", ("merge", "match", "mix", "generate"), None),
        ("a.yaml", ("b.yaml", "mug.yaml"), None),
        ("mgu.yaml", ("b.yaml", "mug.yaml"), "mug.yaml"),
        ("", ("a", "ab"), None),
        ("x", (), None),
    ],
)
def test_nearest(word, known, nearest):
    assert closest(word, known) == nearest
