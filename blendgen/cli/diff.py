"""blendgen diff: what differs between two data sets."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from blendgen import api
from blendgen.cli.command import Command
from blendgen.cli.places import LOCAL_PATH
from blendgen.cli.progress import Progress
from blendgen.cli.terminal import echo, echo_json
from blendgen.errors import ExitCode

if TYPE_CHECKING:
    from blendgen.verification.changes import Change
    from blendgen.verification.dataset_diff import ClassDiff, DatasetDiff
    from blendgen.verification.pixel_diff import PixelDiff
    from blendgen.verification.row_diff import ColumnDiff, LoneRows, RowDiff

_MOST_FIELDS = 12  # of a kind
_MOST_CHARACTERS = 40  # of a value


class _Pixels(click.ParamType):
    """How many images are opened: a number, 0 for "none", None for "all"."""

    name = "pixels"

    def convert(self, value, param, ctx):
        if value is None or isinstance(value, int):
            return value
        words = {"all": None, "none": 0}
        if value in words:
            return words[value]
        if not (value.isdecimal() and len(value) < 16):
            self.fail(f"expected a number of images, all or none, got {value!r}", param, ctx)
        return int(value)


@click.command(
    "diff",
    cls=Command,
    examples={
        "what differs, with the pixels of up to 100 images": "blendgen diff out older",
        "do not open images, for a script": "blendgen diff out older --pixels none --json",
    },
)
@click.argument("a", type=LOCAL_PATH, metavar="A")
@click.argument("b", type=LOCAL_PATH, metavar="B")
@click.option(
    "--pixels",
    type=_Pixels(),
    metavar="N|all|none",
    default="100",
    show_default=True,
    help="How many of the images whose files differ are opened and compared, evenly spaced.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON on stdout.")
def command(a, b, pixels, as_json):
    """Report what differs between the data sets in A and B.

    Compares specs, dataset.json, classes, rows by the number of their image, and pixels of images whose
    files differ, by the sha256 in their rows; verify compares it with the files. Exits with 0 if nothing
    differs, with 1 if something does.
    """
    with Progress(own_stdout=as_json) as progress:
        diff = api.diff(a, b, pixels=pixels, progress=progress)
    if as_json:
        echo_json({"schema_version": 1, **diff.as_dict()})
    else:
        echo("\n".join(_lines(diff)))
    return ExitCode.OK if diff.equal else ExitCode.FAILED


def _lines(diff: DatasetDiff) -> Iterator[str]:
    yield f"A: {diff.a}, {diff.images[0]} images"
    yield f"B: {diff.b}, {diff.images[1]} images"
    if diff.equal:
        yield "no differences"
        return
    yield from _fields("spec", diff.spec)
    yield from _fields("dataset.json", diff.record)
    yield f"classes: {_classes(diff.classes)}"
    yield from _rows(diff.rows)
    yield f"pixels: {_pixels(diff.pixels, diff.rows.common)}"


def _fields(title: str, changes: Sequence[Change]) -> Iterator[str]:
    differ = "1 field differs" if len(changes) == 1 else f"{len(changes)} fields differ"
    yield f"{title}: {differ if changes else 'equal'}"
    yield from _first([f"  {one.field}: {_value(one.a)} -> {_value(one.b)}" for one in changes])


def _classes(classes: ClassDiff) -> str:
    renumbered = [f"{label} is {a} in A, {b} in B" for label, (a, b) in classes.renumbered.items()]
    parts = {"only in A": classes.only_a, "only in B": classes.only_b, "other numbers": renumbered}
    listed = [f"{what}: {_shortened(', '.join(names), 200)}" for what, names in parts.items() if names]
    return "; ".join(listed) or "equal"


def _rows(rows: RowDiff) -> Iterator[str]:
    lone = f"{_lone(rows.only_a)} only in A, {_lone(rows.only_b)} only in B"
    yield f"rows: {lone}, {rows.different} of {rows.common} in both differ"
    yield from _first([f"  {_column(name, column)}" for name, column in rows.most_frequent()])


def _column(name: str, column: ColumnDiff) -> str:
    example = column.example
    words = (example.field.removeprefix(name), _value(example.a), "->", _value(example.b))
    shown = " ".join(word for word in words if word)
    return f"{name}: {_count(column.rows, 'row')}, such as image {column.index}: {shown}"


def _lone(rows: LoneRows) -> str:
    if not rows.count:
        return "0"
    more = ", ..." if rows.count > len(rows.first) else ""
    return f"{rows.count} (image {', '.join(map(str, rows.first))}{more})"


def _pixels(pixels: PixelDiff, common: int) -> str:
    parts = [f"{pixels.different} of {_count(common, 'image')} differ as files"]
    if pixels.compared:
        parts.append(f"{pixels.compared} of these compared")
    if pixels.same_pixels:
        parts.append(f"{pixels.same_pixels} with the same pixels")
    if pixels.other_size:
        parts.append(f"{pixels.other_size} of another size")
    if pixels.psnr_db:
        values = pixels.as_dict()
        parts.append(f"largest difference {pixels.largest} of 255, mean {pixels.mean:.3g}")
        parts.append(
            f"PSNR {values['median_psnr_db']:.1f} dB (median), {values['lowest_psnr_db']:.1f} dB (lowest, "
            f"image {pixels.worst_index})"
        )
    return ", ".join(parts)


def _first(lines: list[str]) -> list[str]:
    more = len(lines) - _MOST_FIELDS
    return lines if more <= 0 else [*lines[:_MOST_FIELDS], f"  and {more} more; --json lists all"]


def _value(value: Any) -> str:
    from blendgen.verification.changes import ABSENT

    return (
        "absent" if value is ABSENT else _shortened(json.dumps(value, ensure_ascii=False), _MOST_CHARACTERS)
    )


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."


def _count(count: int, unit: str) -> str:
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
