"""Statement: what a report says of a data set in words: facts, warnings, notes.

In: the values of an Analysis, and the run that made the data set, where that is known. Out: lines for people.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ConfigDict, Field, ValidationError

from blendgen.errors import UsageError
from blendgen.scene.frozen import FrozenModel
from blendgen.system.pace import duration_text

_MOST_NAMED = 5


class RunFacts(FrozenModel):
    """The run that finished a data set.

    command: as typed; seconds: that it took; made: images that it made
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    command: str = Field(max_length=100_000)
    seconds: float = Field(ge=0, allow_inf_nan=False)
    made: int = Field(ge=0)


def run_facts(values: Mapping[str, Any]) -> RunFacts:
    """raises: UsageError for values that a run cannot have"""
    try:
        return RunFacts.model_validate(dict(values))
    except ValidationError as error:
        first = error.errors()[0]
        raise UsageError(f"run: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def facts(result: dict[str, Any], run: RunFacts | None) -> list[tuple[str, str]]:
    """(name, value) pairs about how a data set was made."""
    versions = result["versions"]
    pairs = [
        ("images", f"{result['images']:,} of {_wanted(result)} wanted"),
        ("shots", f"{result['shots']:,}{_exposures(result)}"),
        ("objects", f"{result['visible_objects']:,}"),
        ("resolution", " x ".join(map(str, result["resolution"] or []))),
        ("files of an image", ", ".join(result["label_files"])),
        ("seed", str(result["seed"])),
        ("sampling", str(result["sampling"])),
        ("hold-out", _hold_out(result["hold_out"])),
        ("blendgen", versions.get("blendgen_version", "")),
        ("Blender", versions.get("blender_version", "")),
        ("Python, NumPy", f"{versions.get('python_version', '')}, {versions.get('numpy_version', '')}"),
        ("device", "; ".join(map(_device, result["devices"]))),
        ("digest", result["digest"]),
    ]
    return [*pairs, *_run_pairs(run)]


def alerts(result: dict[str, Any]) -> list[str]:
    """What somebody who trains on the data set should know first."""
    lines = []
    used = [one for one in result["shortcuts"] if one["warns"]]
    shortcuts = [
        f"Shortcut: {one['name']} tells {one['share']:.0%} of what there is to know about the class; a "
        "classifier could learn it instead of the products."
        for one in used
    ]
    lines += _first(shortcuts, "shortcuts, listed under “Shortcuts”")
    failed = sum(result["failures"]["per_reason"].values())
    if failed:
        lines.append(f"{failed:,} images cannot be made; see “Rejected and failed”.")
    missing = (result["wanted_images"] or 0) - result["images"] - failed
    if missing > 0:
        lines.append(f"{missing:,} of {_wanted(result)} wanted images have not been made.")
    lines += _empty_pairs(result)
    unreadable = result["quality"]["counts"]["unreadable"]
    if unreadable:
        opened = result["quality"]["measured_images"] + unreadable
        lines.append(
            f"{unreadable:,} of {opened:,} opened images cannot be read; run `blendgen verify` to list what "
            "is wrong."
        )
    if result["spec_fault"]:
        lines.append(f"spec.yaml cannot be read, so nothing is compared with it: {result['spec_fault']}")
    return lines + _first(
        [f"Left out: {one}" for one in result["left_out"]], "left out, named in dataset.json"
    )


def _first(lines: list[str], what: str) -> list[str]:
    """The first lines, and how many more there are of what they state."""
    more = len(lines) - _MOST_NAMED
    return lines[:_MOST_NAMED] + ([f"{more:,} more {what}."] if more > 0 else [])


def notes(result: dict[str, Any]) -> list[str]:
    """What to bear in mind about the histograms of sampled parameters."""
    lines = []
    if result["resampled_shots"]:
        lines.append(
            f"{result['resampled_shots']:,} of {result['shots']:,} shots were sampled again because their "
            "first values did not make a scene or hid the subject; this moves the distributions of what "
            "decides it."
        )
    if result["hold_out"]:
        lines.append(
            f"Hold-out ({_hold_out(result['hold_out'])}) decides the split of an image; over all splits "
            "together, the distributions are those of the spec."
        )
    differing = [name for name, one in result["parameters"].items() if one["differs"]]
    if differing:
        lines.append(
            "“Not what was asked for” means that a sample of the distribution would differ as much in fewer "
            "than 1 of 10,000 data sets; rejected shots, or values that only some scenes use, can be why."
        )
    return lines


def split_shares(result: dict[str, Any]) -> list[dict[str, Any]]:
    """Images and share of each split, next to the share that the spec asks for."""
    counts: dict[str, int] = dict.fromkeys(result["splits"], 0)
    for one in result["images_per_class_and_split"]:
        counts[one["split"]] = counts.get(one["split"], 0) + one["images"]
    total = max(result["images"], 1)
    return [
        {"split": split, "images": n, "share": n / total, "expected": result["splits"].get(split)}
        for split, n in counts.items()
    ]


def _empty_pairs(result: dict[str, Any]) -> list[str]:
    empty: dict[str, list[str]] = {}
    for one in result["images_per_class_and_split"]:
        if not one["images"]:
            empty.setdefault(one["split"], []).append(one["label"])
    return [
        f"The split {split} has no image of {', '.join(labels[:_MOST_NAMED])}"
        f"{f' and {len(labels) - _MOST_NAMED} more' if len(labels) > _MOST_NAMED else ''}."
        for split, labels in empty.items()
    ]


def _wanted(result: dict[str, Any]) -> str:
    return f"{result['wanted_images']:,}" if result["wanted_images"] else "unknown"


def _exposures(result: dict[str, Any]) -> str:
    count = result["exposures_per_shot"]
    return f", with up to {count} images each" if count != 1 else ""


def _hold_out(hold_out: dict[str, Any]) -> str:
    parts = [
        f"{split}: {key} {', '.join(map(str, values))}"
        for split, conditions in hold_out.items()
        for key, values in conditions.items()
    ]
    return "; ".join(parts) or "none"


def _device(device: dict[str, Any]) -> str:
    return ", ".join(str(value) for value in device.values())


def _run_pairs(run: RunFacts | None) -> list[tuple[str, str]]:
    if run is None:
        return []
    pairs = [("command", run.command), ("time", duration_text(run.seconds))]
    if run.made and run.seconds > 0:
        pairs.append(
            ("speed", f"{run.made / run.seconds * 60:.1f} images a minute, {run.made:,} in this run")
        )
    return pairs
