"""YAML text -> plain values, with the line and column of each.

In: the text of a spec file. Out: a Document. Scalars follow the YAML 1.2 core schema (`no` is text, `1e3`
is a number, `012` is 12). Errors with line and column: duplicate keys, aliases, tabs, NaN and infinity,
empty files, files that are too large or nested too deeply.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

import yaml

from blendgen.errors import Problem, SpecError

MAX_CHARACTERS = 1_000_000
MAX_DEPTH = 40
Path = tuple[str | int | float, ...]

_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_IMPLICIT_TAGS = {"null", "bool", "int", "float", "str", "timestamp", "merge", "value"}
_MAX_INTEGER_LENGTH = 20  # characters; longer than any valid value
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


@dataclass(frozen=True)
class Document:
    """Plain values with their lines and columns.

    value: dicts, lists and scalars
    places: path of keys and positions -> (line, column), 1-based: of the key for an entry of a mapping,
        of the value for an item of a list
    """

    file: str
    value: Any
    places: dict[Path, tuple[int, int]]

    def problem(self, path: Path, message: str) -> Problem:
        """A Problem at a path, with the place of the path or of its closest parent."""
        known = path
        while known and known not in self.places:
            known = known[:-1]
        line, column = self.places.get(known, (1, 1))
        return Problem(self.file, line, column, dotted(path), message)


def dotted(path: Path) -> str:
    """The text of a path, such as 'products[0].unit' for ('products', 0, 'unit')."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def parse(text: str, file: str) -> Document:
    """The values of one YAML document; raises SpecError for anything that is not plain data."""
    if len(text) > MAX_CHARACTERS:
        raise SpecError([Problem(file, 0, 0, "", f"larger than {MAX_CHARACTERS} characters")])
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        raise SpecError([_syntax_problem(error, file)]) from None
    except (yaml.YAMLError, RecursionError) as error:
        message = "nested too deeply" if isinstance(error, RecursionError) else str(error).split("\n")[0]
        raise SpecError([Problem(file, 1, 1, "", f"not YAML: {message}")]) from None
    if root is None:
        raise SpecError([Problem(file, 1, 1, "", "the file is empty; see `blendgen schema` for the keys")])
    reader = _Reader(file)
    value = reader.read(root, ())
    if reader.problems:
        raise SpecError(reader.problems)
    return Document(file, value, reader.places)


def _syntax_problem(error: yaml.MarkedYAMLError, file: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    message = str(error.problem or error.context)
    if "'\\t'" in message:
        message = "YAML does not allow tabs as indentation; use spaces"
    elif "<block end>" in message:
        message += "; check the indentation of this line and of those above it"
    elif "another document" in message:
        message = "a spec is one document; remove the line --- and what follows it"
    elif "end of stream" in message:
        message += "; check that every quote and bracket is closed"
    return Problem(
        file, mark.line + 1 if mark else 1, mark.column + 1 if mark else 1, "", f"not YAML: {message}"
    )


class _Reader:
    """Converts composed nodes to plain values; collects places and problems."""

    def __init__(self, file: str):
        self.file = file
        self.places: dict[Path, tuple[int, int]] = {}
        self.problems: list[Problem] = []
        self._visited: set[int] = set()
        self._reported: set[int] = set()

    def read(self, node: yaml.Node, path: Path) -> Any:
        self.places.setdefault(path, _place(node))
        if id(node) in self._visited:
            if id(node) not in self._reported:
                self._reported.add(id(node))
                self._report(
                    node,
                    path,
                    "aliases (&, *) are not supported; repeat the value instead",
                )
            return None
        self._visited.add(id(node))
        if len(path) > MAX_DEPTH:
            return self._report(node, path, "nested too deeply")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.read(item, (*path, i)) for i, item in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        raise TypeError(f"YAML has no node of type {type(node).__name__}")

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str | int | float, Any]:
        result: dict[str | int | float, Any] = {}
        for key_node, value_node in node.value:
            key = self._scalar(key_node, path) if isinstance(key_node, yaml.ScalarNode) else None
            if not isinstance(key, str | int | float) or isinstance(key, bool):
                self._report(key_node, path, "a key must be text or a number")
                continue
            entry = (*path, key)
            if key in result:
                self._report(key_node, entry, f"duplicate key {key!r}; remove one of them")
                continue
            self.places[entry] = _place(key_node)
            result[key] = self.read(value_node, entry)
        return result

    def _scalar(self, node: yaml.ScalarNode, path: Path) -> Any:
        text = node.value
        if node.style in ("'", '"', "|", ">"):
            return text
        if node.tag.removeprefix("tag:yaml.org,2002:") not in _IMPLICIT_TAGS:
            return self._report(node, path, f"tags such as {node.tag} are not supported; remove the tag")
        value = plain_scalar(text)
        if isinstance(value, float) and not math.isfinite(value):
            fault = "not a finite number" if _NOT_FINITE.fullmatch(text) else "too large"
            return self._report(node, path, f"{text} is {fault}")
        return value

    def _report(self, node: yaml.Node, path: Path, message: str) -> None:
        line, column = _place(node)
        self.problems.append(Problem(self.file, line, column, dotted(path), message))


def plain_scalar(text: str) -> Any:
    """The value of unquoted text by the core schema of YAML 1.2."""
    if text in ("", "~", "null", "Null", "NULL"):
        return None
    if text in ("true", "True", "TRUE", "false", "False", "FALSE"):
        return text.lower() == "true"
    if len(text) <= _MAX_INTEGER_LENGTH and _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return math.nan if _NOT_FINITE.fullmatch(text) else text


def _place(node: yaml.Node) -> tuple[int, int]:
    return (node.start_mark.line + 1, node.start_mark.column + 1)
