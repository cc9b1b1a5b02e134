"""Compared: whether an object has the content that an index or a file states, by reading it."""

from __future__ import annotations

import hashlib

from blendgen.cloud.index import Entry
from blendgen.cloud.objects import ObjectFacts, ObjectStore


def has_content(store: ObjectStore, name: str, size: int, sha256: str) -> bool:
    """Reads all of an object of a known size, at most one byte more; raises BlendgenError."""
    digest, count = hashlib.sha256(), 0
    try:
        for block in store.blocks(name, size):
            digest.update(block)
            count += len(block)
    except FileNotFoundError:
        return False
    return count == size and digest.hexdigest() == sha256


def is_entry(store: ObjectStore, name: str, facts: ObjectFacts | None, entry: Entry) -> bool:
    """Whether an object is what an index says; read only where the store has no etag of it."""
    if facts is None or facts.size != entry.size:
        return False
    if entry.etag is None or facts.etag is None:
        return has_content(store, name, entry.size, entry.sha256)
    return entry.etag == facts.etag
