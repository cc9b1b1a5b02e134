"""Film store: films on disk, so that a shot that a change of the spec leaves as it is is not rendered again.

In: a folder, an engine and its job. Out: an engine whose films come from the folder if another worker, or an
earlier run, has rendered the same shot of the same models with the same settings.
"""

from __future__ import annotations

import hashlib
import os
import pickle
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from blendgen.engine.base import Engine
from blendgen.models.product import Product
from blendgen.models.watched import picture_states
from blendgen.scene.film import Film
from blendgen.scene.shot import Distractor, PlacedProduct, Shot
from blendgen.workers.job import Job

_MAX_BYTES = 512 * 2**20


@dataclass(frozen=True)
class FilmStore:
    """folder: of nobody else, as its files are unpickled; max_bytes: films that do not fit are not stored"""

    folder: Path
    max_bytes: int = _MAX_BYTES

    def find(self, key: str) -> Film | None:
        file = self.folder / key
        try:
            film = pickle.loads(file.read_bytes())
            os.utime(file)
        except OSError:
            return None
        return film

    def add(self, key: str, film: Film) -> None:
        """Store a film where there is room; a full disk only costs time."""
        data = pickle.dumps(film, protocol=pickle.HIGHEST_PROTOCOL)
        temporary = self.folder / f"{key}.{os.getpid()}"
        with suppress(OSError):
            if sum(size for _, size, _ in self._films()) + len(data) > self.max_bytes:
                return
            try:
                temporary.write_bytes(data)
                temporary.replace(self.folder / key)
            finally:
                temporary.unlink(missing_ok=True)

    def make_room(self, unused_since_ns: int) -> None:
        """Remove films that were not used since then, the oldest first, until half of the room is free."""
        films = sorted(self._films())
        size = sum(bytes_ for _, bytes_, _ in films)
        for used_ns, bytes_, file in films:
            if size <= self.max_bytes // 2 or used_ns >= unused_since_ns:
                break
            with suppress(OSError):
                file.unlink()
                size -= bytes_

    def _films(self) -> Iterator[tuple[int, int, Path]]:
        """Time of the last use, size, and file of each."""
        for entry in os.scandir(self.folder):
            with suppress(OSError):
                status = entry.stat()
                yield status.st_mtime_ns, status.st_size, Path(entry.path)


@dataclass(frozen=True)
class RememberingEngine:
    """An engine that looks in a store before it renders."""

    engine: Engine
    films: FilmStore
    job: Job

    def identity(self) -> dict[str, str]:
        return self.engine.identity()

    def render(self, shot: Shot) -> Film:
        key = film_key(shot, self.job, self.identity())
        film = self.films.find(key)
        if film is None:
            film = self.engine.render(shot)
            self.films.add(key, film)
        return film


def film_key(shot: Shot, job: Job, identity: dict[str, str]) -> str:
    """A digest of all that a film depends on."""
    spec, catalog = job.spec, job.catalog
    placed: tuple[PlacedProduct | Distractor, ...]
    placed = (*shot.products, *shot.distractors, *shot.occluders)
    models = [_model_facts(catalog.product_of(one)) for one in placed]
    options = spec.render.model_dump_json(), spec.output.model_dump_json()
    facts = repr((shot.model_dump_json(), models, picture_states(catalog), options, sorted(identity.items())))
    return hashlib.sha256(facts.encode()).hexdigest()


def _model_facts(product: Product) -> tuple:
    """What a film shows of a product; the path of its asset follows from what it was measured from."""
    return product.asset_path, product.colorways, product.part_kinds, product.parts, product.keypoints
