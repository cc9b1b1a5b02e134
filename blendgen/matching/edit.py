"""Edit: the text of a spec with some values replaced, its comments and order kept.

In: YAML text and Guesses; a value of None removes its key. Out: YAML text. A section that names a preset
(`sensor: phone`) becomes a mapping that starts from it. The reason of each value stands in a comment above
it.
"""

from __future__ import annotations

import os
import re
import textwrap
from collections.abc import Iterable
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from blendgen.starter.guess import Guess, flow, one_line

_WIDTH = 100
_INDENT = 2
_MATCH = "match"
_PATHS = ("directory", "recolor_table")  # keys whose values are relative to the spec file


def edited(text: str, guesses: Iterable[Guess], command: str = _MATCH) -> str:
    """command: that changes the spec; each line of its comments starts with its name, and those of an earlier
    call are removed

    raises: ruamel.yaml.error.YAMLError for text that is not YAML
    """
    yaml = _yaml()
    root = yaml.load(re.sub(rf"^[ ]*# {command}:.*\n", "", text, flags=re.MULTILINE))
    for guess in guesses:
        _set(root, guess, f"{command}:")
    return _dumped(yaml, root)


def moved(text: str, before: Path, after: Path) -> str:
    """The text of a spec of one folder as it is in another: its relative paths lead to the same places."""
    if before.resolve() == after.resolve():
        return text
    yaml = _yaml()
    root = yaml.load(text)
    _move(root, before.resolve(), after.resolve())
    return _dumped(yaml, root)


def _yaml() -> YAML:
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    yaml.indent(mapping=_INDENT, sequence=_INDENT + 2, offset=_INDENT)
    return yaml


def _dumped(yaml: YAML, root: Any) -> str:
    stream = StringIO()
    yaml.dump(root, stream)
    return stream.getvalue()


def _set(root: CommentedMap, guess: Guess, mark: str) -> None:
    section = root
    for key in guess.path[:-1]:
        section = _opened(section, key)
    key = guess.path[-1]
    if guess.value is None:
        section.pop(key, None)
        return
    section[key] = _yaml().load(flow(guess.value))
    depth = _INDENT * (len(guess.path) - 1)
    lines = textwrap.wrap(
        one_line(guess.reason), _WIDTH - depth, initial_indent=f"{mark} ", subsequent_indent=f"{mark}   "
    )
    section.yaml_set_comment_before_after_key(key, before="\n".join(lines), indent=depth)


def _opened(section: CommentedMap, key: Any) -> CommentedMap:
    """The mapping below a key, in lines of its own; a preset becomes one that starts from it."""
    inner = section.get(key)
    if not isinstance(inner, CommentedMap):
        preset = inner
        inner = CommentedMap()
        if isinstance(preset, str):
            inner["preset"] = preset
        section[key] = inner
    inner.fa.set_block_style()
    return inner


def _move(node: Any, before: Path, after: Path) -> None:
    if isinstance(node, CommentedSeq):
        for item in node:
            _move(item, before, after)
    if not isinstance(node, CommentedMap):
        return
    for key, value in node.items():
        if key in _PATHS and isinstance(value, str) and not Path(value).is_absolute():
            node[key] = Path(os.path.relpath(before / value, after)).as_posix()
        else:
            _move(value, before, after)
