"""Items: the name of each thing -> the function that builds it, and how it is laid down.

In: an empty `Solids`. Out: its solids, in millimetres, in the pose in which the thing is measured.
"""

from __future__ import annotations

from blendgen.engine.blender.clutter import bands, barriers, cables, fasteners, gadgets, round_things, sheets
from blendgen.engine.blender.clutter.hand import gloved_hand

ITEMS = {
    "usb_cable": cables.usb_cable,
    "power_cable": cables.power_cable,
    "charger_eu": gadgets.charger_eu,
    "charger_us": gadgets.charger_us,
    "earbud_case": gadgets.earbud_case,
    "sd_card": gadgets.sd_card,
    "machine_screw": fasteners.machine_screw,
    "wood_screw": fasteners.wood_screw,
    "hex_nut": fasteners.hex_nut,
    "washer": fasteners.washer,
    "coin": round_things.coin,
    "aa_battery": round_things.aa_battery,
    "packing_tape": round_things.packing_tape,
    "bottle_cap": round_things.bottle_cap,
    "crown_cap": round_things.crown_cap,
    "marker": round_things.marker,
    "tape_strip": sheets.tape_strip,
    "cardboard": sheets.cardboard,
    "paper_ball": sheets.paper_ball,
    "plastic_shard": sheets.plastic_shard,
    "zip_tie": bands.zip_tie,
    "rubber_band": bands.rubber_band,
    "paper_clip": bands.paper_clip,
    "bar": barriers.bar,
    "flat_bar": barriers.flat_bar,
    "guard_rail": barriers.guard_rail,
    "chute_edge": barriers.chute_edge,
    "curtain_strip": barriers.curtain_strip,
    "cable_bundle": barriers.cable_bundle,
    "gloved_hand": gloved_hand,
}
