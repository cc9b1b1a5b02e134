"""Load: sources in, Catalog out. Everything that is not in the cache is measured, in one or two calls.

Blender is behind the Measurer. A model that cannot be used becomes a Refusal; the caller decides whether
that is an error.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from blendgen.errors import CatalogError
from blendgen.files.disk import raise_if_passing
from blendgen.files.names import some_of
from blendgen.models.companions import Companions
from blendgen.models.measuring.cache import AssetCache, Stored, content_hash, entry_key, source_facts
from blendgen.models.measuring.entry import ASSET_FILE, IncompleteEntry, read_new_entry
from blendgen.models.measuring.reads import Disk, changed_between, read_files, states
from blendgen.models.product import Catalog, Measured, Product, Refusal
from blendgen.models.selection import name_clashes
from blendgen.models.source import Measurer, Source

_log = logging.getLogger(__name__)
_MAX_LISTED = 10
_MAX_LOOKED_FOR = 100_000


class _Wanted(NamedTuple):
    """A source, what is known of it before measuring, and the key of its entries."""

    source: Source
    facts: dict[str, Any]
    key: str
    companions: Companions


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
    _check_names(sources)
    disk = Disk()
    wanted, refusals = _wanted(sources, measurer.digest, disk)
    loader = _Loader(measurer, cache or AssetCache(), disk)
    loader.cache.remove_abandoned()
    loader.load(wanted)
    products = []
    for one in wanted:
        stored = loader.stored.get(one.source.name)
        measured = loader.failures[one.source.name] if stored is None else stored.entry
        if stored is None or isinstance(measured, str):
            refusals.append(Refusal(one.source.display, str(measured)))
        else:
            products.append(_product(one, stored, measured))
    return Catalog(tuple(products), tuple(refusals))


def _check_names(sources: list[Source]) -> None:
    clashes = name_clashes(sources)
    if clashes:
        lines = [f"  {one.name}: {some_of(one.files)}; {one.advice}" for one in clashes[:_MAX_LISTED]]
        if len(clashes) > _MAX_LISTED:
            lines.append(f"  and {len(clashes) - _MAX_LISTED} more")
        listed = "\n".join(lines)
        raise CatalogError(f"products need different names (letter case does not count):\n{listed}")


def _wanted(sources: list[Source], digest: str, disk: Disk) -> tuple[list[_Wanted], list[Refusal]]:
    """The sources that can be read, and refusals of the others."""
    wanted, unreadable = [], []
    for source in sources:
        companions = Companions.of(source.options) if source.kind == "mesh" else Companions(Path())
        try:
            facts = source_facts(source, disk)
        except OSError as error:
            unreadable.append(Refusal(source.display, _unreadable(error, companions)))
            continue
        wanted.append(_Wanted(source, facts, entry_key(facts, digest), companions))
    return wanted, unreadable


def _unreadable(error: OSError, companions: Companions) -> str:
    """As Companions.unreadable.

    raises: DiskUnavailable, since a later run would not leave the model out
    """
    raise_if_passing(Path(error.filename or companions.model), error)
    return companions.unreadable(error)


@dataclass
class _Loader:
    """Finds or makes the entries of sources.

    stored: the entries; failures: the reasons why there is none; both by the name of the source
    """

    measurer: Measurer
    cache: AssetCache
    disk: Disk
    stored: dict[str, Stored] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    def load(self, wanted: list[_Wanted]) -> None:
        """Find or measure all.

        Files with the same content and options have one key. One of each key is measured first; then those
        with other textures, or other files next to them.
        """
        missing = self._not_in_cache(wanted)
        first_of: dict[str, _Wanted] = {}
        for one in missing:
            first_of.setdefault(one.key, one)
        self._measure(list(first_of.values()))
        self._measure(self._not_in_cache(one for one in missing if one is not first_of[one.key]))

    def _not_in_cache(self, wanted: Iterable[_Wanted]) -> list[_Wanted]:
        """Find entries; returns those that have to be measured."""
        missing = []
        for one in wanted:
            try:
                stored = self.cache.find(one.key, one.companions, self.disk)
            except OSError as error:
                self.failures[one.source.name] = _unreadable(error, one.companions)
                continue
            crash = None if stored else self._crash(one)
            if stored is not None:
                self.stored[one.source.name] = stored
            elif crash is not None:
                self.failures[one.source.name] = crash
            else:
                missing.append(one)
        return missing

    def _crash(self, one: _Wanted) -> str | None:
        crash = self.cache.crash(one.key, _model(one.source)) if one.source.kind == "mesh" else None
        return crash and f"{crash} in an earlier run; to try again, change the file, or touch it"

    def _measure(self, wanted: list[_Wanted]) -> None:
        if not wanted:
            return
        folders = [self.cache.begin(one.key) for one in wanted]
        jobs = [(one.source, folder) for one, folder in zip(wanted, folders, strict=True)]
        began_ns = time.time_ns()
        try:
            with closing(self.measurer.measure(jobs)) as outcomes:
                for one, folder, refusal in zip(wanted, folders, outcomes, strict=True):
                    failure = self._settle(one, folder, refusal, began_ns)
                    if failure is not None:
                        self.failures[one.source.name] = failure
        finally:
            for folder in folders:
                self.cache.discard(folder)

    def _settle(self, one: _Wanted, folder: Path, refusal: Refusal | None, began_ns: int) -> str | None:
        """Publish a complete entry, or return why there is none; then the next run tries again."""
        try:
            entry, looked_for = read_new_entry(folder)
            if len(looked_for) > _MAX_LOOKED_FOR:
                return f"names more than {_MAX_LOOKED_FOR:,} other files"
            others = states(looked_for, one.companions, self.disk)
            changed = changed_between(others, one.companions, began_ns, time.time_ns())
            if changed or source_facts(one.source, Disk()) != one.facts:
                return "changed while it was measured; run the same command again"
        except IncompleteEntry as error:  # a crash or a timeout
            if refusal and refusal.crash and one.source.kind == "mesh":
                self.cache.store_crash(one.key, _model(one.source), refusal.crash)
            return refusal.reason if refusal else f"was not measured completely ({error})"
        except OSError as error:
            return _unreadable(error, one.companions)
        published = self.cache.publish(folder, one.key, others)
        self.stored[one.source.name] = Stored(published, entry, others)
        return None


def _model(source: Source) -> Path:
    return Path(source.options["path"])


def _product(one: _Wanted, stored: Stored, measured: Measured) -> Product:
    source = one.source
    for lost in measured.lost_look:
        _log.warning("%s: %s", source.display, lost)
    for note in measured.notes:
        _log.warning("note: %s: %s", source.display, note)
    return Product(
        source.name,
        source.folder,
        asset_path=stored.folder / ASSET_FILE,
        content_hash=content_hash(one.facts, read_files(stored.states, one.companions)),
        measured=measured,
        stable_poses=measured.stable_poses,
        colorways=measured.colorways,
        keypoints=measured.keypoints,
    )
