"""Row fields: values of rows by dotted name, such as shot.surface.kind, which an export carries on request.

In: names. Out: the value of each field in each row, None where a row does not have it. The name of a section,
such as shot.surface, means all fields in it. Only all rows together show which fields there are, and of
which type, so they are read once before the export. A field of `objects` has a value for each object.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from blendgen.dataset.rows import row_values
from blendgen.dataset.source import Source
from blendgen.errors import UsageError, did_you_mean
from blendgen.exporters.features import Feature, complete, feature_of, merged, typed
from blendgen.exporters.samples import Sample
from blendgen.scene.row import Row

_OBJECTS = "objects."
_FILE = "file_name"  # the files of an export have other names


@dataclass(frozen=True)
class RowFields:
    """features: of the fields by name, in the order of the request; of fields of `objects`, lists"""

    features: dict[str, Feature] = field(default_factory=dict)

    @property
    def of_images(self) -> list[str]:
        """Names of the fields of whole images."""
        return [name for name in self.features if not name.startswith(_OBJECTS)]

    @property
    def of_objects(self) -> list[str]:
        """Names of the fields of objects, without `objects.`."""
        return [name.removeprefix(_OBJECTS) for name in self.features if name.startswith(_OBJECTS)]

    def image_values(self, row: Row) -> dict[str, Any]:
        """Values by the names in of_images."""
        return self._values(row, self.of_images)

    def object_values(self, row: Row, number: int) -> dict[str, Any]:
        """Values of an object by the names in of_objects."""
        columns = row.objects.columns() if self.features else {}
        return {name: columns[name][number] if name in columns else None for name in self.of_objects}

    def sample_features(self, crops: bool) -> dict[str, Feature]:
        """Features of sample_values, of which there are the same for all samples of an export."""
        if not crops:
            return self.features
        own = {name: self.features[_OBJECTS + name]["feature"] for name in self.of_objects}
        return {name: self.features[name] for name in self.of_images} | own

    def sample_values(self, sample: Sample) -> dict[str, Any]:
        """All values of a whole image; of a crop, those of its image and of its object."""
        row = sample.row
        if sample.instance_id is None:
            return self._values(row, self.features)
        number = row.objects.instance_id.index(sample.instance_id)
        return self.image_values(row) | self.object_values(row, number)

    def typed_values(self, sample: Sample) -> dict[str, Any]:
        """As sample_values, with every value of a field of one type: that of its feature."""
        features = self.sample_features(sample.instance_id is not None)
        values = self.sample_values(sample)
        return {name: typed(one, features[name]) for name, one in values.items()}

    def _values(self, row: Row, names: Iterable[str]) -> dict[str, Any]:
        known = dict(leaves(row_values(row))) if self.features else {}
        return {name: known.get(name) for name in names}


NO_FIELDS = RowFields()


def row_fields(source: Source, names: Iterable[str]) -> RowFields:
    """Look up fields by name in all rows; raises UsageError for a name that no row has."""
    names = tuple(names)
    features, others = _features(source, names) if names else ({}, set[str]())
    known = {*features, *others}
    chosen: dict[str, Feature] = {}
    for name in names:
        own = {leaf: complete(one) for leaf, one in features.items() if _is_in(leaf, name)}
        if not own:
            suggestion = did_you_mean(name, known | _sections(known))
            raise UsageError(f"fields: rows have no field {name!r}{suggestion}")
        chosen |= own
    return RowFields(chosen)


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
