"""Compared: whether an object has the content that an index or a file states, by reading it."""

from __future__ import annotations

import hashlib

from blendgen.cloud.objects import ObjectStore


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
