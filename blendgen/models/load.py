"""Load: sources in, Catalog out. Everything that is not in the cache is measured, in one call.

Blender is behind the Measurer. A model that cannot be used becomes a Refusal; the caller decides whether
that is an error.
"""

from __future__ import annotations

import logging
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from blendgen.errors import CatalogError
from blendgen.files.names import some_of
from blendgen.models.measuring.cache import AssetCache, content_hash, entry_key
from blendgen.models.measuring.entry import ASSET_FILE, IncompleteEntry, read_entry
from blendgen.models.product import Catalog, Measured, Product, Refusal
from blendgen.models.selection import name_clashes
from blendgen.models.source import Measurer, Source

_log = logging.getLogger(__name__)
_MAX_LISTED = 10


class _Key(NamedTuple):
    """Two sources are equal if their content is; their entry also depends on the code that measures."""

    content: str
    entry: str


# the entry of each key; a str is the reason for a refusal
_Known = dict[_Key, Measured | str]


def load_catalog(sources: list[Source], measurer: Measurer, cache: AssetCache | None = None) -> Catalog:
    """As measured_catalog, but raises CatalogError if no product can be used."""
    catalog = measured_catalog(sources, measurer, cache)
    if not catalog.products:
        refusals = (f"  {refusal}" for refusal in catalog.refusals)
        raise CatalogError("\n".join(["no product can be used", *refusals]))
    return catalog


def measured_catalog(sources: list[Source], measurer: Measurer, cache: AssetCache | None = None) -> Catalog:
    """The products in the order of the sources, and the refusals; there may be no product at all.

    raises: CatalogError if two have the same name, SetupError for the cache
    """
    cache = cache or AssetCache()
    _check_names(sources)
    keys, unreadable = _keys(sources, measurer.digest)
    known = _from_cache(keys, cache)
    known |= _from_measurer(sources, keys, known, measurer, cache)
    refusals = list(unreadable)
    products = []
    for source, key in zip(sources, keys, strict=True):
        if key is None:
            continue
        measured = known[key]
        if isinstance(measured, str):
            refusals.append(Refusal(source.display, measured))
        else:
            products.append(_product(source, key, measured, cache))
    return Catalog(tuple(products), tuple(refusals))


def _check_names(sources: list[Source]) -> None:
    clashes = name_clashes(sources)
    if clashes:
        lines = [f"  {one.name}: {some_of(one.files)}; {one.advice}" for one in clashes[:_MAX_LISTED]]
        if len(clashes) > _MAX_LISTED:
            lines.append(f"  and {len(clashes) - _MAX_LISTED} more")
        listed = "\n".join(lines)
        raise CatalogError(f"products need different names (letter case does not count):\n{listed}")


def _keys(sources: list[Source], digest: str) -> tuple[list[_Key | None], list[Refusal]]:
    """Keys, None for each source that cannot be read, and the refusals of those."""
    keys: list[_Key | None] = []
    unreadable = []
    for source in sources:
        try:
            keys.append(_key(source, digest))
        except OSError as error:
            keys.append(None)
            unreadable.append(Refusal(source.display, f"cannot be read: {error.strerror or error}"))
    return keys, unreadable


def _key(source: Source, digest: str) -> _Key:
    content = content_hash(source)
    return _Key(content, entry_key(content, digest))


def _from_cache(keys: list[_Key | None], cache: AssetCache) -> _Known:
    entries = {key: cache.read(key.entry) for key in dict.fromkeys(keys) if key is not None}
    return {key: entry for key, entry in entries.items() if entry is not None}


def _from_measurer(
    sources: list[Source], keys: list[_Key | None], known: _Known, measurer: Measurer, cache: AssetCache
) -> _Known:
    missing: dict[_Key, Source] = {}
    for source, key in zip(sources, keys, strict=True):
        if key is not None and key not in known:
            missing.setdefault(key, source)  # equal content is measured once
    if not missing:
        return {}
    building = {key: cache.begin(key.entry) for key in missing}
    jobs = [(source, building[key]) for key, source in missing.items()]
    measured: _Known = {}
    try:
        with closing(measurer.measure(jobs)) as outcomes:
            for (key, folder), refusal in zip(building.items(), outcomes, strict=True):
                if refusal is None and not _unchanged(missing[key], measurer.digest, key):
                    measured[key] = "changed while it was measured; run the same command again"
                    continue
                measured[key] = _settle(key.entry, folder, refusal, cache)
    finally:
        for folder in building.values():
            cache.discard(folder)
    return measured


def _unchanged(source: Source, digest: str, key: _Key) -> bool:
    """Whether the files are still those from which the key was made."""
    try:
        return _key(source, digest) == key
    except OSError:
        return False


def _settle(key: str, folder: Path, refusal: Refusal | None, cache: AssetCache) -> Measured | str:
    """Publish a complete entry. A crash or a timeout leaves none, so the next run tries again."""
    try:
        entry = read_entry(folder)
    except IncompleteEntry as error:
        return refusal.reason if refusal else f"was not measured completely ({error})"
    cache.publish(folder, key)
    return entry


def _product(source: Source, key: _Key, measured: Measured, cache: AssetCache) -> Product:
    for lost in measured.lost_look:
        _log.warning("%s: %s", source.display, lost)
    for note in measured.notes:
        _log.warning("note: %s: %s", source.display, note)
    return Product(
        source.name,
        source.folder,
        asset_path=cache.entry_folder(key.entry) / ASSET_FILE,
        content_hash=key.content,
        measured=measured,
        stable_poses=measured.stable_poses,
        colorways=measured.colorways,
        keypoints=measured.keypoints,
    )
