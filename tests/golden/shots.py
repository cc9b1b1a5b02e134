"""Golden shots: digests of what is sampled for images of fixed specs, parameter by parameter.

In: scenes/ and specs/, and stand-in catalogues. Out: a table for each of the two folders, parameter -> one
digest for each sampled image, as it is in shots.json and specs.json. Numbers are rounded to 9 significant
digits: NumPy 1 and NumPy 2 differ in the last bits of some.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blendgen.draw.shot import draw_exposures, draw_shot
from blendgen.spec.load import load_spec
from blendgen.spec.model import Spec
from blendgen.system.resources import resource_folder
from tests.golden.stand_ins import stand_ins

_HERE = Path(__file__).parent
_SECOND_ATTEMPT = 17  # the image of which the second attempt is sampled
_ABSENT = "-"
_DIGEST_SIZE = 4
_DIGITS = 9

# parameter -> digests, one an image of a Group
Table = dict[str, list[str]]


@dataclass(frozen=True)
class Group:
    """Specs of one folder: a name without suffix -> its sampled images.

    Of the piles those are sampled that settle alike from starts that differ in the last bits: others end up
    to 0.1 mm apart with NumPy 1 and NumPy 2, because falling bodies enlarge the difference.
    """

    file: Path
    folder: Path
    images: Mapping[str, tuple[int, ...]]

    def spec(self, name: str) -> Spec:
        return load_spec(self.folder / f"{name}.yaml").spec


SCENES = Group(
    _HERE / "shots.json",
    resource_folder("scenes"),
    {
        "conveyor_phones": (0, 1, 17),
        "light_table": (0, 1, 17),
        "my_models": (0, 1, 17),
        "recycling_line": (0, 1, 2, 17),
        "tabletop": (0, 1, 17),
        "tote": (0, 1, 7, 15),
    },
)
# what no scene has
SPECS = Group(
    _HERE / "specs.json",
    _HERE / "specs",
    {"free": (0, 1, 17), "mounted": (0, 1, 2, 5, 17), "same_as": (0, 1, 4)},
)
GROUPS = (SCENES, SPECS)


def sampled_table(group: Group) -> Table:
    """The table of this checkout."""
    columns = [
        dict(_parameters(group.spec(name), index))
        for name, indices in group.images.items()
        for index in indices
    ]
    names = sorted({name for column in columns for name in column})
    return {name: [column.get(name, _ABSENT) for column in columns] for name in names}


def write_golden() -> None:
    for group in GROUPS:
        table = sampled_table(group)
        rows = (f"{json.dumps(name)}: {json.dumps(' '.join(row))}" for name, row in table.items())
        group.file.write_text("{\n" + ",\n".join(rows) + "\n}\n", "utf-8")


def read_table(group: Group) -> Table:
    return {name: row.split() for name, row in json.loads(group.file.read_text("utf-8")).items()}


def differences(golden: Table, now: Table, group: Group = SCENES) -> list[str]:
    """One line for each parameter that is new, gone, or sampled otherwise, with the images where it is."""
    images = [f"{name} {index}" for name, indices in group.images.items() for index in indices]
    lines = []
    for name in sorted({*golden, *now}):
        if name not in now or name not in golden:
            lines.append(f"{name}: is {'new' if name in now else 'gone'}")
        elif golden[name] != now[name]:
            pairs = zip(images, golden[name], now[name], strict=True)
            lines.append(f"{name}: {', '.join(image for image, a, b in pairs if a != b)}")
    return lines


def _parameters(spec: Spec, index: int) -> Iterator[tuple[str, str]]:
    """Parameter and digest of one image: of its shot, and of its exposure."""
    attempt = int(index == _SECOND_ATTEMPT)
    shot = draw_shot(spec, *stand_ins(spec), index // spec.exposures_per_shot, attempt)
    (exposure,) = draw_exposures(spec, shot, [index])
    sampled = {"shot": shot.model_dump(mode="json"), "exposure": exposure.model_dump(mode="json")}
    for name, value in _leaves(sampled, ""):
        yield name, digest_of(value)


def _leaves(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Dotted names and values; a list of numbers, such as a matrix, is one value."""
    named = value.items() if isinstance(value, dict) else enumerate(value) if _has_sections(value) else None
    if not named:
        yield name, value
        return
    for key, item in named:
        yield from _leaves(item, f"{name}.{key}".removeprefix("."))


def _has_sections(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(item, dict) for item in value)


def digest_of(value: Any) -> str:
    """Eight hex digits of a JSON value, its numbers rounded."""
    text = json.dumps(_rounded(value), sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=_DIGEST_SIZE).hexdigest()


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.{_DIGITS}g}") + 0.0  # -0.0 becomes 0.0
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return value
