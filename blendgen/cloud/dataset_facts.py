"""Dataset facts: dataset.json of a data set in an object store, which a stranger may have written."""

from __future__ import annotations

import hashlib
from typing import Any

from blendgen.cloud.index import Index, joined
from blendgen.cloud.objects import ObjectStore
from blendgen.dataset.layout import RECORD_NAME
from blendgen.dataset.schema import MAX_RECORD_BYTES, parsed_json, record_fault
from blendgen.errors import DatasetError


def record_of(store: ObjectStore, prefix: str, index: Index) -> dict[str, Any]:
    """dataset.json, as the index states it; raises DatasetError."""
    name = RECORD_NAME
    entry, data = index.entries.get(name), store.read(joined(prefix, name), MAX_RECORD_BYTES)
    fault = "is missing or is not what was sent"
    if entry is not None and data is not None and hashlib.sha256(data).hexdigest() == entry.sha256:
        try:
            record: dict[str, Any] = parsed_json(data, MAX_RECORD_BYTES)
        except ValueError as error:
            fault = f"cannot be read: {error}"
        else:
            fault = record_fault(record) or ""
            if not fault:
                return record
    raise DatasetError(
        f"{store.place(joined(prefix, name))}: {fault}; `blendgen verify --repair` makes it again"
    )
