"""Inventory: the products and classes of a spec, measured, or read from the cache. Does not load bpy."""

from __future__ import annotations

import logging

from blendgen.engine.blender.importing.measurer import BlenderMeasurer
from blendgen.models.inventory import Inventory, load_inventory
from blendgen.models.measuring.cache import cache_folder
from blendgen.spec.load import SpecFile
from blendgen.system.time_limit import TimeLimit

_log = logging.getLogger(__name__)


def measurer(time_limit: TimeLimit | None = None) -> BlenderMeasurer:
    """A Measurer whose log is next to the cache."""
    return BlenderMeasurer(cache_folder() / "measure.log", time_limit=time_limit or TimeLimit())


def measured_inventory(
    spec_file: SpecFile, strict: bool = False, time_limit: TimeLimit | None = None
) -> Inventory:
    """The products and classes of a spec; warns of models that are left out.

    strict: a model that cannot be used, or would be rendered without part of its look, is an error
    raises: as load_inventory; TimeLimitReached, after which the next run measures the rest
    """
    inventory = load_inventory(spec_file, measurer(time_limit), strict)
    if inventory.refusals:
        listed = "".join(f"\n  {refusal}" for refusal in inventory.refusals)
        _log.warning("left out %d model(s):%s", len(inventory.refusals), listed)
    return inventory
