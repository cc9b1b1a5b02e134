"""Row fields: values of rows by dotted name, such as shot.surface.kind, which an export carries on request.

In: names. Out: the value of each field in each row, None where a row does not have it. The name of a section,
such as shot.surface, means all fields in it. Only all rows together show which fields there are, and of
which type, so they are read once before the export. A field of `objects` has a value for each object.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from blendgen.containers.features import Feature, complete, feature_of, is_blank_list, lists, merged, typed
from blendgen.containers.table import object_columns
from blendgen.dataset.rows import row_values
from blendgen.dataset.source import Source
from blendgen.errors import UsageError, did_you_mean
from blendgen.exporters.samples import Sample
from blendgen.scene.row import Row

_OBJECTS = "objects."
_FILE = "file_name"  # the files of an export have other names


@dataclass(frozen=True)
class RowFields:
    """Features of the fields by name, in the order of the request.

    images: of a whole image; objects: of a single object, without `objects.` in the name
    blank: those of both that are lists in which no row has a value
    """

    images: dict[str, Feature] = field(default_factory=dict)
    objects: dict[str, Feature] = field(default_factory=dict)
    blank: frozenset[str] = frozenset()

    def without_blank(self) -> RowFields:
        """The fields but those in `blank`."""
        return RowFields(
            {name: one for name, one in self.images.items() if name not in self.blank},
            {name: one for name, one in self.objects.items() if name not in self.blank},
        )

    def image_values(self, row: Row) -> dict[str, Any]:
        """Values by the names in images."""
        values = dict(leaves(row_values(row))) if self.images else {}
        return {name: values.get(name) for name in self.images}

    def object_values(self, row: Row, number: int) -> dict[str, Any]:
        """Values of an object by the names in objects."""
        return {name: column[number] for name, column in self._columns(row).items()}

    def sample_features(self, crops: bool) -> dict[str, Feature]:
        """Features of typed_values."""
        return self.images | self.objects if crops else self.images

    def sample_values(self, sample: Sample) -> dict[str, Any]:
        """The values of an image; of a crop, those of its object too."""
        row = sample.row
        if sample.instance_id is None:
            return self.image_values(row)
        number = row.objects.instance_id.index(sample.instance_id)
        return self.image_values(row) | self.object_values(row, number)

    def typed_values(self, sample: Sample) -> dict[str, Any]:
        """As sample_values, with every value of a field of one type: that of its feature."""
        features = self.images | self.objects
        return {name: typed(one, features[name]) for name, one in self.sample_values(sample).items()}

    def list_features(self, crops: bool) -> dict[str, Feature]:
        """Features of typed_lists."""
        return {} if crops else {name: lists(one) for name, one in self.objects.items()}

    def typed_lists(self, sample: Sample) -> dict[str, list[Any]]:
        """The values of all objects of a whole image by the names in objects; nothing for a crop."""
        columns = self._columns(sample.row) if sample.instance_id is None else {}
        return {name: [typed(one, self.objects[name]) for one in column] for name, column in columns.items()}

    def _columns(self, row: Row) -> dict[str, Sequence[Any]]:
        columns = row.objects.columns() if self.objects else {}
        return {name: columns.get(name, [None] * len(row.objects)) for name in self.objects}


NO_FIELDS = RowFields()


def row_fields(source: Source, names: Iterable[str]) -> RowFields:
    """Look up fields by name in all rows; raises UsageError for a name that no row has."""
    names = tuple(names)
    features, others = _features(source, names) if names else ({}, set[str]())
    known = {*features, *others}
    chosen: dict[str, Feature | None] = {}
    for name in names:
        own = {leaf: one for leaf, one in features.items() if _is_in(leaf, name)}
        if not own:
            suggestion = did_you_mean(name, known | _sections(known))
            if name.endswith(_FILE):
                suggestion = " for exports, which name files differently; take index to find the image"
            raise UsageError(f"fields: rows have no field {name!r}{suggestion}")
        chosen |= own
    full = {name: complete(one) for name, one in chosen.items()}
    of_objects = {name for name in full if name.startswith(_OBJECTS)}
    return RowFields(
        {name: one for name, one in full.items() if name not in of_objects},
        {name.removeprefix(_OBJECTS): full[name]["feature"] for name in full if name in of_objects},
        frozenset(name.removeprefix(_OBJECTS) for name, one in chosen.items() if is_blank_list(one)),
    )


def _features(source: Source, names: tuple[str, ...]) -> tuple[dict[str, Feature | None], set[str]]:
    """Features of the fields that are meant, None for one that is always null; and names of all others."""
    features: dict[str, Feature | None] = {}
    others: set[str] = set()
    for row in source.rows():
        for leaf, one in leaves(row_values(row)):
            if leaf in features or (leaf not in others and any(_is_in(leaf, name) for name in names)):
                features[leaf] = merged(features.get(leaf), feature_of(one))
            else:
                others.add(leaf)
    sections = _sections(features)
    return {leaf: one for leaf, one in features.items() if one is not None or leaf not in sections}, others


def leaves(values: Mapping[str, Any], section: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted name and value of everything that is not a section, without names of files."""
    for key, one in values.items():
        if isinstance(one, Mapping) and one:
            yield from leaves(one, f"{section}{key}.")
        elif section or not key.endswith(_FILE):
            yield section + key, None if isinstance(one, Mapping) else one


def _sections(names: Iterable[str]) -> set[str]:
    parts = [name.split(".") for name in names]
    return {".".join(part[:length]) for part in parts for length in range(1, len(part))}


def _is_in(leaf: str, name: str) -> bool:
    return leaf == name or leaf.startswith(f"{name}.")


def object_lists(source: Source, sample: Sample, fields: RowFields) -> dict[str, Sequence[Any]]:
    """Boxes and fields of the objects of a whole image, and keypoints if the data set has them.

    Empty for a crop, which is a single object.
    """
    objects = sample.row.objects
    chosen = object_columns(objects, bool(source.keypoints))
    if sample.box is not None:
        chosen = {name: [] for name in chosen}
    return chosen | fields.typed_lists(sample) | chosen
