"""Backdrop: the photo behind the scene, and the part of it that is visible."""

from __future__ import annotations

from blendgen.draw.sampler import Sampler
from blendgen.models.product import Catalog
from blendgen.scene.ground import Backdrop
from blendgen.spec.distributions import Choice
from blendgen.spec.model import Spec


def draw_backdrop(spec: Spec, catalog: Catalog, sampler: Sampler) -> Backdrop | None:
    """The backdrop of one shot; None without a `backdrop` section."""
    section = spec.backdrop
    if section is None:
        return None
    across, up = sampler.u("backdrop.offset", 2)
    return Backdrop(
        image=sampler.value(Choice.even(sorted(catalog.backdrops)), "backdrop.image"),
        offset=(2 * across - 1, 2 * up - 1),
        **sampler.values(section, Backdrop, "backdrop"),
    )
