"""Versus: blendgen and BlenderProc side by side, as plain values.

In: rounds in which both made the same shots. Out: images per second of each way, and ratios, each
within its round.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.spread import ratio, spread

# blendgen with 1 and with many exposures a shot; BlenderProc call by call, and with key frames
ONE, MANY = "blendgen_1", "blendgen_8"
CALL_BY_CALL, KEY_FRAMES = "blenderproc_call_by_call", "blenderproc_key_frames"
# Blender makes a map of 4096 x 2048 of where a panorama shines, at each render that turns it; BlenderProc
# has no setting for that, but who knows Blender can make the map as small as blendgen's
TUNED = "_tuned"
THEIRS = (CALL_BY_CALL, CALL_BY_CALL + TUNED, KEY_FRAMES, KEY_FRAMES + TUNED)
# the ratios that are judged: what a user of BlenderProc meets
BESIDE = ONE_BESIDE, MANY_BESIDE = tuple(f"{ours}_to_{CALL_BY_CALL}" for ours in (ONE, MANY))
WAYS = {
    ONE: "blendgen, one worker, 1 exposure a shot; everything varies",
    MANY: "blendgen, one worker, 8 exposures a shot; everything varies",
    CALL_BY_CALL: "BlenderProc, a render call an image; product, pose, lamps and camera vary",
    CALL_BY_CALL + TUNED: "the same, with Blender's map of the panorama made small by hand",
    KEY_FRAMES: "BlenderProc, one render call for all images; only the camera varies",
    KEY_FRAMES + TUNED: "the same, with Blender's map of the panorama made small by hand",
}
LABELS = {
    "blendgen": "image, instance mask, depth; in the manifest boxes, amodal boxes, visible fractions, poses",
    "blenderproc": "image, instance mask, depth",
}


@dataclass(frozen=True)
class Round:
    """images_per_s: by WAYS; versions: of BlenderProc and of its Blender"""

    images_per_s: dict[str, float]
    versions: dict[str, str]


def versus_report(rounds: list[Round]) -> dict[str, Any] | None:
    """None where BlenderProc was not asked for."""
    if not rounds:
        return None
    rates = {way: [one.images_per_s[way] for one in rounds] for way in WAYS}
    ratios = {
        f"{ours}_to_{theirs}": asdict(ratio(rates[ours], rates[theirs]))
        for ours in (ONE, MANY)
        for theirs in THEIRS
    }
    return {
        "versions": rounds[0].versions,
        "labels": LABELS,
        "images_per_s": {way: asdict(spread(values)) for way, values in rates.items()},
        "ratios": ratios,
    }
