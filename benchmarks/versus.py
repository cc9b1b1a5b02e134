"""Versus: blendgen compared with BlenderProc, as plain values.

In: rounds in which both made the same shots. Out: images per second of each mode, and ratios within a round.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.spread import ratio, spread

# blendgen with 1 and with many exposures per shot; BlenderProc call by call, and with key frames
ONE, MANY = "blendgen_1", "blendgen_8"
CALL_BY_CALL, KEY_FRAMES = "blenderproc_call_by_call", "blenderproc_key_frames"
# Blender computes where a panorama is bright on a map of 4096 x 2048, again for each render that turns it.
# BlenderProc has no setting for it; these modes set it in Blender, to the size that blendgen uses
TUNED = "_tuned"
THEIRS = (CALL_BY_CALL, CALL_BY_CALL + TUNED, KEY_FRAMES, KEY_FRAMES + TUNED)
MODES = {
    ONE: "blendgen, one worker, 1 exposure per shot; everything varies",
    MANY: "blendgen, one worker, 8 exposures per shot; everything varies",
    CALL_BY_CALL: "BlenderProc, one render call per image; product, pose, lamps and camera vary",
    CALL_BY_CALL + TUNED: "the same, with a smaller map of the panorama's light",
    KEY_FRAMES: "BlenderProc, one render call for all images; only the camera varies",
    KEY_FRAMES + TUNED: "the same, with a smaller map of the panorama's light",
}
_NAMES = {
    CALL_BY_CALL: "call by call",
    CALL_BY_CALL + TUNED: "call by call, tuned",
    KEY_FRAMES: "with key frames",
    KEY_FRAMES + TUNED: "with key frames, tuned",
}
LABELS = {
    "blendgen": "image, instance mask, depth; in the manifest boxes, amodal boxes, visible fractions, poses",
    "blenderproc": "image, instance mask, depth",
}


@dataclass(frozen=True)
class Round:
    """images_per_s: by MODES; versions: of BlenderProc and of its Blender"""

    images_per_s: dict[str, float]
    versions: dict[str, str]


def ratio_of(ours: str, theirs: str) -> str:
    """The key of the ratio of two modes."""
    return f"{ours}_to_{theirs}"


def described(ours: str, theirs: str) -> str:
    """The ratio of two modes, for a table."""
    exposures = "1 exposure" if ours == ONE else "8 exposures"
    return f"images/s, {exposures} per shot, compared with BlenderProc {_NAMES[theirs]}"


def versus_report(rounds: list[Round]) -> dict[str, Any] | None:
    """The comparison; None without rounds."""
    if not rounds:
        return None
    rates = {mode: [one.images_per_s[mode] for one in rounds] for mode in MODES}
    ratios = {
        ratio_of(ours, theirs): asdict(ratio(rates[ours], rates[theirs]))
        for ours in (ONE, MANY)
        for theirs in THEIRS
    }
    return {
        "versions": rounds[0].versions,
        "labels": LABELS,
        "images_per_s": {mode: asdict(spread(values)) for mode, values in rates.items()},
        "ratios": ratios,
    }
