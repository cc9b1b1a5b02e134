"""Recolour: colourways that a spec or a table gives to models, instead of their own.

In: a table {colourway: {pattern: finish}}, from the spec or from a YAML, JSON or CSV file. Out:
Products with those colourways. A pattern is matched against the names of a model's parts (its
material slots), letter case ignored: * is any text, ? any character; of several that match, the
last one counts, but a part's very name before all. What no pattern matches stays as it is; an empty
colourway is the model as it is.
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

from blendgen.errors import Problem, SpecError
from blendgen.files.regular_file import links_outside, read_bounded
from blendgen.models.product import Colorway, MaterialOverride, Product
from blendgen.spec.products import Finish
from blendgen.spec.yaml_source import Document, parse

Table = dict[str, dict[str, Finish]]
_TABLE = TypeAdapter(Table)
_Meant = TypeVar("_Meant")
_COLUMNS = ("colorway", "part", "color", "roughness", "metallic", "transmission")


def recolored(product: Product, table: Table) -> Product:
    """The product in the colourways of the table that concern it (at least one part, or empty)."""
    colorways = []
    for name, finishes in table.items():
        overrides = {part: _override(finishes, part) for part in product.parts}
        matched = {part: override for part, override in overrides.items() if override is not None}
        if matched or not finishes:
            colorways.append(Colorway(name, matched))
    return replace(product, colorways=tuple(colorways))


def unmatched_patterns(products: list[Product], table: Table) -> list[tuple[str, str]]:
    """(colourway, pattern) that match no part of any product: mistyped, most likely."""
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
        reason = "not a UTF-8 text file" if isinstance(error, ValueError) else error.strerror
        raise SpecError([Problem(str(path), 0, 0, "", f"cannot be read: {reason}")]) from None
    document = _csv_document(text, str(path)) if path.suffix.lower() == ".csv" else parse(text, str(path))
    try:
        return _TABLE.validate_python(document.value)
    except ValidationError as error:
        raise SpecError([_problem(document, fault) for fault in error.errors(include_url=False)]) from None


def _override(finishes: dict[str, Finish], part: str) -> MaterialOverride | None:
    finish = meant_for(part, finishes.items())
    if finish is None:
        return None
    # metal lets no light through, so what is to be clear cannot stay metal
    metallic = 0.0 if finish.metallic is None and finish.transmission else finish.metallic
    return MaterialOverride(finish.color, finish.roughness, metallic, finish.transmission)


def matches(pattern: str, part: str) -> bool:
    """Only * and ? stand for others; brackets are common in the names of materials."""
    return pattern == part or fnmatchcase(part.casefold(), pattern.casefold().replace("[", "[[]"))


def meant_for(part: str, by_pattern: Iterable[tuple[str, _Meant]]) -> _Meant | None:
    """What the part's very name stands for, or else the last pattern that matches it."""
    pairs = [pair for pair in by_pattern if matches(pair[0], part)]
    named = [pair for pair in pairs if pair[0] == part]
    return (named or pairs)[-1][1] if pairs else None


def _problem(document: Document, fault: dict[str, Any]) -> Problem:
    message = str(fault["ctx"]["error"]) if fault["type"] == "value_error" else fault["msg"]
    return document.problem(tuple(fault["loc"]), f"{message[0].lower()}{message[1:]}")


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
    places = {}
    for row in reader:
        name, part = row["colorway"], row["part"]
        value.setdefault(name, {})[part] = {
            key: row[key] if key == "color" else _number(row[key]) for key in _COLUMNS[2:] if row.get(key)
        }
        places[(name,)] = places[(name, part)] = (reader.line_num, 1)
    return Document(file, value, places)


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text
