"""Left out: which objects of a model are not the product. Does not load bpy.

In: the names, boxes and marks of the objects that a render shows. Out: the reasons why some are left out:
lower levels of detail, collision hulls, floors and shadow catchers. Names alone never decide: a level of
detail needs a better one of the same name, a hull is as large as the rest, a floor is flat and far larger.
source: Unreal Engine, FBX static mesh pipeline (UCX_, UBX_, USP_, UCP_); Godot, node type customization
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from blendgen.models.recolor import matches

HIDDEN_BY_CHOICE = "hide"
LEVELS, HULLS, FLOOR = "levels of detail", "collision hulls", "floor"
_LEVEL = re.compile(r"(?:(?<![A-Za-z])(?i:lod)|(?<=[a-z])LOD)[ _.\-]?(\d{1,2})(?!\d)")
_HULL_OF = re.compile(r"(ucx|ubx)[ _.\-](?P<of>.+)", re.I)
_MAYBE_HULL_OF = re.compile(r"(usp|ucp)[ _.\-](?P<of>.+)|(?P<before>.+)[ _.\-]col[ _.\-]*\d*", re.I)
_HULL_WORD = re.compile(r".*(collisions?|colliders?|convcolonly|colonly|kollision)[ _.\-]*\d*", re.I)
_HULL_MARGIN = 0.25  # of the size of what it is around
_COPY = re.compile(r"\.\d{3,}$")  # Blender's number of a name that was taken
_WORDS = re.compile(r"[^\W\d_]+")
_CAPITALS = re.compile(r"(?<=[a-z])(?=[A-Z])")
# times the size of the rest -> words, of several languages, for what is a floor if it is that large
_FLOOR_WORDS = {
    1.5: "floor ground groundplane shadow shadowcatcher boden fußboden schatten sol ombre suelo piso sombra "
    "suolo pavimento ombra vloer schaduw podłoga пол тень 地面 地板 影 床 바닥",
    3.0: "plane ebene fläche plan plano piano vlak плоскость 平面 평면",
}
_FLAT = 0.002  # thickness of its largest side


@dataclass(frozen=True)
class Choice:
    """Patterns of names of objects, or of what they are in, from a sidecar.

    hide: objects that are left out
    show: objects that are not, whatever the file or their names say
    """

    hide: tuple[str, ...] = ()
    show: tuple[str, ...] = ()

    def hides(self, names: Iterable[str]) -> bool:
        return _matches_any(self.hide, names)

    def shows(self, names: Iterable[str]) -> bool:
        return _matches_any(self.show, names)


SHOWN = Choice()


@dataclass(frozen=True)
class Candidate:
    """An object that a render shows.

    names: its own, then those of its parents and collections, from the inside to the outside
    box_m: (2, 3) lowest and highest corner
    is_bare: it has no material
    unseen: why a camera does not see it; "" if it does
    """

    names: tuple[str, ...]
    box_m: np.ndarray
    is_bare: bool = False
    unseen: str = ""


def _matches_any(patterns: tuple[str, ...], names: Iterable[str]) -> bool:
    names = tuple(names)
    return any(matches(pattern, name) for pattern in patterns for name in names)


def reasons_left_out(candidates: Sequence[Candidate], choice: Choice) -> list[str]:
    """Why each candidate is left out; "" if it is not."""
    reasons = [
        HIDDEN_BY_CHOICE if choice.hides(one.names) else "" if choice.shows(one.names) else one.unseen
        for one in candidates
    ]
    for rule in (_hulls, _lower_levels, _floors):
        open_ones = {i: one for i, one in enumerate(candidates) if not reasons[i]}
        for i, reason in rule(open_ones).items():
            if not choice.shows(candidates[i].names):
                reasons[i] = reason
    return reasons


def looks_left_out(name: str) -> bool:
    """Whether an object of that name may have to be left out."""
    patterns = (_HULL_OF, _MAYBE_HULL_OF, _HULL_WORD)
    return bool(_LEVEL.search(name) or any(p.fullmatch(name) for p in patterns) or _floor_factor([name]))


def _hulls(candidates: dict[int, Candidate]) -> dict[int, str]:
    others = [one for one in candidates.values() if not _is_named_hull(one, None)]
    named = [i for i, one in candidates.items() if _is_named_hull(one, others)]
    rest = _box(one for i, one in candidates.items() if i not in named)
    return {i: HULLS for i in named if _is_around(candidates[i].box_m, rest)}


def _is_named_hull(one: Candidate, others: list[Candidate] | None) -> bool:
    """others: those that may be what it is a hull of; None: any name will do"""
    for name in map(_without_number, one.names):
        maybe = _MAYBE_HULL_OF.fullmatch(name)
        if _HULL_OF.fullmatch(name) or _HULL_WORD.fullmatch(name):
            return True
        if maybe and (others is None or one.is_bare or _is_part_of(maybe["of"] or maybe["before"], others)):
            return True
    return False


def _is_part_of(name: str, others: list[Candidate]) -> bool:
    of, named = _plain(name), {_plain(other.names[0]) for other in others} - {""}
    return any(other.startswith(of) or of.startswith(other) for other in named)


def _is_around(box_m: np.ndarray, rest: np.ndarray | None) -> bool:
    if rest is None:
        return False
    margin = _HULL_MARGIN * np.ptp(rest, axis=0).max()
    return bool((box_m[0] >= rest[0] - margin).all() and (box_m[1] <= rest[1] + margin).all())


def _lower_levels(candidates: dict[int, Candidate]) -> dict[int, str]:
    """All but the best level of each group; an object of the same name without a number is the best."""
    groups: dict[tuple[str, ...], dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    for i, one in candidates.items():
        group, level = _level(one)
        if group is not None:
            groups[group][level].append(i)
    for i, one in candidates.items():
        group = (_plain(one.names[0]),)
        if group in groups and _level(one)[0] is None:
            groups[group][-1].append(i)
    lower = (
        members for levels in groups.values() for level, members in levels.items() if level > min(levels)
    )
    return {i: LEVELS for members in lower for i in members}


def _level(one: Candidate) -> tuple[tuple[str, ...] | None, int]:
    """(what it is a level of, its number) by the outermost name with a level; (None, 0) without one."""
    for depth in reversed(range(len(one.names))):
        match = _LEVEL.search(one.names[depth])
        if match:
            stem = _plain(match.string[: match.start()] + " " + _without_number(match.string[match.end() :]))
            return ((stem,) if stem else ("", *one.names[depth + 1 :])), int(match[1])
    return None, 0


def _floors(candidates: dict[int, Candidate]) -> dict[int, str]:
    factors = {i: _floor_factor(one.names) for i, one in candidates.items()}
    rest = _box(one for i, one in candidates.items() if not (factors[i] and _is_flat(one.box_m)))
    if rest is None:
        return {}
    return {
        i: FLOOR for i, factor in factors.items() if factor and _is_below(candidates[i].box_m, rest, factor)
    }


def _floor_factor(names: Iterable[str]) -> float | None:
    words = {word.casefold() for name in names for word in _WORDS.findall(_CAPITALS.sub(" ", name))}
    return next((factor for factor, known in _FLOOR_WORDS.items() if words & set(known.split())), None)


def _is_flat(box_m: np.ndarray) -> bool:
    size = np.ptp(box_m, axis=0)
    return bool(size.min() <= _FLAT * size.max())


def _is_below(box_m: np.ndarray, rest: np.ndarray, factor: float) -> bool:
    """Whether a box is flat, larger than the rest by a factor, and has all of it on one side."""
    size, rest_size = np.ptp(box_m, axis=0), np.ptp(rest, axis=0)
    normal = int(size.argmin())
    along = [axis for axis in range(3) if axis != normal]
    height, margin = box_m[:, normal], 0.05 * rest_size[normal]
    is_on_one_side = rest[0, normal] >= height[1] - margin or rest[1, normal] <= height[0] + margin
    is_larger = (size[along] >= factor * rest_size[along]).all()
    return bool(_is_flat(box_m) and is_larger and is_on_one_side and rest_size[normal] > size[normal])


def _box(candidates: Iterable[Candidate]) -> np.ndarray | None:
    boxes = np.array([one.box_m for one in candidates])
    return np.stack([boxes[:, 0].min(axis=0), boxes[:, 1].max(axis=0)]) if len(boxes) else None


def _without_number(name: str) -> str:
    return _COPY.sub("", name)


def _plain(name: str) -> str:
    """A name for comparison: in lower case, with one space for each run of separators."""
    return re.sub(r"[ _.\-:|]+", " ", _without_number(name)).strip().casefold()
