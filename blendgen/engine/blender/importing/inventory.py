"""Inventory: the products and classes of a spec, measured, or read from the cache. Does not load bpy."""

from __future__ import annotations

import logging

from blendgen.engine.blender.importing.measurer import BlenderMeasurer
from blendgen.models.inventory import Inventory, load_inventory
from blendgen.models.measuring.cache import cache_folder
from blendgen.spec.load import SpecFile

_log = logging.getLogger(__name__)


def measurer() -> BlenderMeasurer:
    """A Measurer whose log is next to the cache."""
    return BlenderMeasurer(cache_folder() / "measure.log")


def measured_inventory(spec_file: SpecFile, strict: bool = False) -> Inventory:
    """The products and classes of a spec; warns of models that are left out.

    strict: a model that cannot be used, or would be rendered without part of its look, is an error
    raises: as load_inventory
    """
    inventory = load_inventory(spec_file, measurer(), strict)
    if inventory.refusals:
        listed = "".join(f"\n  {refusal}" for refusal in inventory.refusals)
        _log.warning("left out %d model(s):%s", len(inventory.refusals), listed)
    return inventory
