"""Recolour: colourways that a spec or a table gives to models, instead of their own.

In: a table {colourway: {pattern: finish}}, from the spec or from a YAML, JSON or CSV file. Out:
Products with those colourways. A pattern is matched against the names of a model's parts (its
material slots), ignoring letter case: * is any text, ? any character. If several match, the last one
counts, but a part's exact name comes first. Parts that no pattern matches stay as they are; an empty
colourway is the model as it is. engine/blender/session/models.py sets the colours on materials.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from blendgen.errors import Problem, SpecError, did_you_mean
from blendgen.files.decimals import decimal
from blendgen.files.disk import raise_if_passing
from blendgen.files.regular_file import links_outside, read_bounded
from blendgen.models.product import Colorway, MaterialOverride, Product
from blendgen.spec.faults import message_of
from blendgen.spec.load import SpecFile
from blendgen.spec.products import Finish
from blendgen.spec.yaml_source import Document, parse
from blendgen.spec.yaml_source import Path as FieldPath

Table = dict[str, dict[str, Finish]]
_TABLE = TypeAdapter(Table)
_Value = TypeVar("_Value")
_COLUMNS = ("colorway", "part", "color", "roughness", "metallic", "transmission")


def in_colorways_of_spec(spec_file: SpecFile, groups: list[tuple[Product, ...]]) -> list[tuple[Product, ...]]:
    """The products of each section of a spec, in the colourways that it gives them or selects.

    A product may end up without a colourway. raises: SpecError for unknown colourways and unmatched patterns
    """
    groups = _recolored_by_spec(spec_file, groups)
    problems, chosen = [], []
    for number, (section, group) in enumerate(zip(spec_file.spec.products, groups, strict=True)):
        known = {colorway.name for product in group for colorway in product.colorways}
        for i, name in enumerate(section.colorways or ()):
            if name not in known:
                message = f"{name!r} is not a colourway here{did_you_mean(name, known)}"
                problems.append(spec_file.problem(("products", number, "colorways", i), message))
        chosen.append(tuple(_with_colorways(product, section.colorways) for product in group))
    if problems:
        raise SpecError(problems)
    return chosen


def _recolored_by_spec(spec_file: SpecFile, groups: list[tuple[Product, ...]]) -> list[tuple[Product, ...]]:
    result, problems = [], []
    for number, (section, group) in enumerate(zip(spec_file.spec.products, groups, strict=True)):
        table = section.recolor
        if section.recolor_table is not None:
            table = read_table(spec_file.folder / section.recolor_table)
        parts = {part for product in group for part in product.parts}
        for name, pattern in unmatched_patterns(group, table or {}):
            message = f"{pattern!r} matches no part of these models{did_you_mean(pattern, parts)}"
            problems.append(spec_file.problem(("products", number, "recolor", name, pattern), message))
        result.append(group if table is None else tuple(recolored(product, table) for product in group))
    if problems:
        raise SpecError(problems)
    return result


def _with_colorways(product: Product, names: list[str] | None) -> Product:
    if names is None:
        return product
    return replace(product, colorways=tuple(c for c in product.colorways if c.name in names))


def recolored(product: Product, table: Table) -> Product:
    """The product in the colourways of the table that concern it (at least one part, or empty)."""
    colorways = []
    for name, finishes in table.items():
        overrides = {part: _override(finishes, part) for part in product.parts}
        matched = {part: override for part, override in overrides.items() if override is not None}
        if matched or not finishes:
            colorways.append(Colorway(name, matched))
    return replace(product, colorways=tuple(colorways))


def unmatched_patterns(products: Iterable[Product], table: Table) -> list[tuple[str, str]]:
    """(colourway, pattern) pairs that match no part of any product; most likely typos."""
    parts = {part for product in products for part in product.parts}
    pairs = [(name, pattern) for name, finishes in table.items() for pattern in finishes]
    return [(name, pattern) for name, pattern in pairs if not any(matches(pattern, part) for part in parts)]


def read_table(path: Path) -> Table:
    """The table of a file; raises SpecError with the place of each fault."""
    if links_outside(path):
        message = "cannot be read: it is a link that leads out of its folder; copy the file there"
        raise SpecError([Problem(str(path), 0, 0, "", message)])
    try:
        text = read_bounded(path).decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except (OSError, UnicodeDecodeError) as error:
        raise_if_passing(path, error)
        reason = "not a UTF-8 text file" if isinstance(error, ValueError) else error.strerror
        raise SpecError([Problem(str(path), 0, 0, "", f"cannot be read: {reason}")]) from None
    suffix = path.suffix.lower()
    if suffix == ".json":  # the parser takes JSON as YAML, which does not allow tabs between values
        text = text.replace("\t", " ")
    document = _csv_document(text, str(path)) if suffix == ".csv" else parse(text, str(path))
    try:
        return _TABLE.validate_python(document.value)
    except ValidationError as error:
        raise SpecError([_problem(document, fault) for fault in error.errors(include_url=False)]) from None


def _override(finishes: dict[str, Finish], part: str) -> MaterialOverride | None:
    finish = value_for(part, finishes.items())
    if finish is None:
        return None
    # metal lets no light through: a transparent part cannot stay metal
    metallic = 0.0 if finish.metallic is None and finish.transmission else finish.metallic
    return MaterialOverride(finish.color, finish.roughness, metallic, finish.transmission)


def matches(pattern: str, part: str) -> bool:
    """Whether a pattern matches the name of a part, in either case.

    Only * and ? are wildcards: brackets are common in the names of materials.
    """
    return pattern == part or fnmatchcase(part.casefold(), pattern.casefold().replace("[", "[[]"))


def value_for(part: str, by_pattern: Iterable[tuple[str, _Value]]) -> _Value | None:
    """The value of the part's exact name, or else of the last pattern that matches it."""
    pairs = [pair for pair in by_pattern if matches(pair[0], part)]
    named = [pair for pair in pairs if pair[0] == part]
    return (named or pairs)[-1][1] if pairs else None


def _problem(document: Document, fault: ErrorDetails) -> Problem:
    """A file without colourways and parts is perhaps not a table at all: its content is not printed."""
    message = message_of(fault)
    is_table = len(fault["loc"]) > 1
    return document.problem(tuple(fault["loc"]), message if is_table else message.partition(", got ")[0])


def _csv_document(text: str, file: str) -> Document:
    """Rows of colorway, part, color, roughness, metallic, transmission; a header names the columns."""
    reader = csv.DictReader(io.StringIO(text), strict=True)
    try:
        return _table_document(reader, file)
    except csv.Error as error:
        message = f"cannot be read as CSV: {error}"
        raise SpecError([Problem(file, reader.line_num, 1, "", message)]) from None


def _table_document(reader: csv.DictReader, file: str) -> Document:
    unknown = [name for name in reader.fieldnames or () if name not in _COLUMNS]
    if unknown or not {"colorway", "part"} <= set(reader.fieldnames or ()):
        raise SpecError(
            [Problem(file, 1, 1, "", f"the first line must name columns among {', '.join(_COLUMNS)}")]
        )
    value: dict[str, dict[str, dict[str, Any]]] = {}
    places: dict[FieldPath, tuple[int, int]] = {}
    for row in reader:
        name, part = row["colorway"], row["part"]
        if not any(row.values()):
            raise SpecError([Problem(file, reader.line_num, 1, "", "the row is empty; remove it")])
        if part in value.get(name, {}):
            line, _ = places[(name, part)]
            message = f"the part {part!r} already has a row, in line {line}; remove one of them"
            raise SpecError([Problem(file, reader.line_num, 1, name, message)])
        value.setdefault(name, {})[part] = {
            key: row[key] if key == "color" else _number(row[key]) for key in _COLUMNS[2:] if row.get(key)
        }
        places[(name,)] = places[(name, part)] = (reader.line_num, 1)
    return Document(file, value, places)


def _number(text: str) -> float | str:
    try:
        return decimal(text)
    except ValueError:
        return text
