"""Machines that make data sets of the flat engine, in this process, and send them to an object store."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

from blendgen.cloud import generate, target
from blendgen.cloud.generate import generate_to
from blendgen.dataset.layout import Layout
from blendgen.dataset.record import dataset_record
from blendgen.dataset.store import read_record
from blendgen.errors import TimeLimitReached
from blendgen.farm.shards import Shard
from blendgen.files.url import parse_url
from blendgen.models.inventory import Inventory
from blendgen.workers.run import GenerateReport
from tests.conftest import make_class_table
from tests.farm.made import SPEC, make
from tests.workers.flat_run import CATALOG

OPTIONS = {"indices": None, "force": False, "check_files": False, "retry_failed": False}


@dataclass
class Machine:
    """One with a disk of its own; stops_after: images, of a run that is then stopped by its scheduler.

    made: numbers of images that were there before and after each run
    """

    disk: Path
    monkeypatch: object
    stops_after: int | None = None
    made: list[tuple[int, int]] = field(default_factory=list)

    def generate(self, url: str, shard: str | None = None, spec=SPEC, **options) -> GenerateReport:
        self.monkeypatch.setenv("BLENDGEN_CACHE_DIR", str(self.disk))
        self.monkeypatch.setattr(generate, "opened_run", self._opened_run)
        self.monkeypatch.setattr(generate, "start_early_worker", nullcontext)
        self.monkeypatch.setattr(target, "make_all", self._make_all)
        self._spec = spec
        one = None if shard is None else Shard(*map(int, shard.split("/")))
        given = OPTIONS | options
        staging = given.pop("staging", None)
        return generate_to(parse_url(url), staging, SimpleNamespace(spec=spec), one, False, **given)

    @contextmanager
    def _opened_run(self, spec_file, folder, early_worker, progress, *, indices, prepare, **options):
        prepare(dataset_record(self._spec, Inventory(CATALOG, make_class_table(CATALOG))))
        yield folder, indices

    def _make_all(self, run) -> GenerateReport:
        folder, indices = run
        wanted = range(self._spec.images) if indices is None else indices
        there = read_record(Layout(folder)).get("images", 0)
        _make(folder, wanted[: self.stops_after], self._spec)
        record = read_record(Layout(folder))
        self.made.append((there, record["images"]))
        if self.stops_after is not None:
            raise TimeLimitReached("the time limit is reached")
        return GenerateReport(
            folder, record["images"], record["images"] - there, there, 0, {}, {}, (), 1, None
        )


def _make(folder: Path, wanted, spec) -> None:
    """As make; what was made in an empty folder once is copied."""
    key = spec.seed, spec.images, spec.output.container, *wanted[:1], *wanted[-1:]
    if folder.exists():
        make(folder, wanted, spec=spec)
        return
    if key not in _made:
        _made[key] = Path(_templates.name) / str(len(_made))
        make(_made[key], wanted, spec=spec)
    shutil.copytree(_made[key], folder)


_templates = tempfile.TemporaryDirectory()
_made: dict[tuple, Path] = {}


def stored(url: str) -> dict[str, bytes]:
    """All objects of the memory below a URL, by their name."""
    from fsspec.implementations.memory import MemoryFileSystem

    root = "/" + url.partition("://")[2] + "/"
    names = [name for name in MemoryFileSystem.store if name.startswith(root)]
    return {name.removeprefix(root): MemoryFileSystem.store[name].getvalue() for name in names}
