"""The former names of products are those that older data sets have."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from pathlib import Path

import pytest

import blendgen.models.former_names as former_names_module
from blendgen.models.former_names import former_names
from blendgen.models.product_names import folder_name


def names(*files: str) -> list[str]:
    former = former_names([Path(file) for file in files])
    return [former[Path(file)] for file in files]


def test_they_are_those_of_the_former_rule():
    assert names("a/scene.gltf", "b/scene.gltf") == ["a", "b"]
    assert names("003_cracker_box/google_16k/textured.obj", "025_mug/google_16k/textured.obj") == [
        "003_cracker_box",
        "025_mug",
    ]
    assert names("Duck/glTF/Duck.gltf", "Duck/glTF-Draco/Duck.gltf") == ["glTF__Duck", "glTF-Draco__Duck"]
    assert names("box.obj", "Box.STL", "other.stl") == ["box_obj", "Box_STL", "other"]


def test_a_format_that_was_not_read_then_changes_none():
    assert names("mug.obj") == ["mug"]
    assert former_names([Path("mug.obj"), Path("mug.step")]) == {Path("mug.obj"): "mug"}


def _names_as_they_were(paths: list[Path]) -> list[str]:
    """The rule in its plain, quadratic form."""
    stems = former_names_module._stems(paths)
    groups = defaultdict(list)
    for position, stem in enumerate(stems):
        groups[stem.casefold()].append(position)

    def by_folder(position):
        group = groups[stems[position].casefold()]
        if len(group) == 1:
            return stems[position]
        depth = min(len(paths[i].parts) for i in group) - 1
        for level in range(1, depth + 1):
            new_names = [paths[i].parts[-1 - level] for i in group]
            apart = len({name.casefold() for name in new_names}) == len(new_names)
            if apart and not any(former_names_module._UNINFORMATIVE.fullmatch(name) for name in new_names):
                return paths[position].parts[-1 - level]
        return paths[position].stem

    forms = [lambda i: stems[i], by_folder]
    forms.append(lambda i: by_folder(i) + (f"__{stems[i]}" if by_folder(i) != stems[i] else ""))
    for parents in range(1, max((len(path.parts) for path in paths), default=0)):
        forms.append(lambda i, parents=parents: "__".join((*paths[i].parts[:-1][-parents:], stems[i])))
    forms.append(lambda i: f"{i + 1:04d}__" + "__".join(paths[i].parts))
    sets, level = list(groups.values()), [0] * len(groups)
    while True:
        new_names = {i: folder_name(forms[level[g]](i)) for g, group in enumerate(sets) for i in group}
        uses = Counter(name.casefold() for name in new_names.values())
        clashing = [
            g for g, group in enumerate(sets) if any(uses[new_names[i].casefold()] > 1 for i in group)
        ]
        advancing = [g for g in clashing if level[g] < len(forms) - 1]
        if not advancing:
            return [new_names[i] for i in sorted(new_names)]
        for g in advancing:
            level[g] += 1


def test_names_are_those_of_the_plain_rule():
    draw = random.Random(1)
    words = ["a", "A", "b", "textured", "glTF", "..x", "con", "a__b", "mug", "q?", "q_", "0001__a"]
    for _ in range(300):
        paths = sorted(
            {
                Path(*(draw.choice(words) for _ in range(draw.randint(0, 3))), f"{draw.choice(words)}.obj")
                for _ in range(12)
            },
            key=lambda path: ([part.casefold() for part in path.parts], path.parts),
        )
        assert list(former_names(paths).values()) == _names_as_they_were(paths)


@pytest.mark.slow
def test_many_files_of_one_name_are_named_in_time():
    """The plain rule takes half an hour for these; the time limit of a test is what tells."""
    paths = [Path(f"{i:06x}", "models", "model_normalized.obj") for i in range(50_000)]
    new_names = list(former_names(paths).values())
    assert new_names[:2] == ["000000", "000001"] and len(set(new_names)) == len(paths)
    again = [Path("x", f"{i:06x}", "models", "a", "same.obj") for i in range(1_000)]
    assert len(set(former_names([*again, *(Path("y") / path for path in again)]).values())) == 2_000
