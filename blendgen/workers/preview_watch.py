"""Preview watch: the sheet of a spec, made again after each change of the spec or of a file that it reads.

In: what reads the spec, PreviewOptions, and the file of the sheet. Out: an update for each sheet. Worker
processes stay, with Blender and the models that are the same, and so do the films of shots that a change
leaves as they are. A sheet that a further change makes out of date is not finished. A spec that is wrong for
the moment leaves the last sheet as it is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image

from blendgen.dataset.packed import ImageFiles
from blendgen.errors import BlendgenError
from blendgen.files.names import some_of
from blendgen.files.scratch import scratch_folder
from blendgen.models.product import Catalog
from blendgen.models.watched import Snapshot, changed_files, snapshot, used_files, watched_folders
from blendgen.spec.load import SpecFile
from blendgen.system.machine import cores
from blendgen.system.progress import Progress, ProgressLike, reported_to
from blendgen.system.ticker import Ticker
from blendgen.workers.early_worker import EarlyWorker
from blendgen.workers.film_store import FilmStore
from blendgen.workers.generate import Outcome, Run
from blendgen.workers.kept_workers import kept_workers
from blendgen.workers.preview import PreviewOptions, planned_preview, refuse_output
from blendgen.workers.preview_page import LiveCells, PreviewPage
from blendgen.workers.stop_signal import StopSignal, Superseded

_POLL_S = 0.1
_SETTLED_S = 0.1  # a file that is still being written changes within this time
_REST = 4  # times as long as a look at the files takes, at least, between two looks
_LAST_LOOK_S = 1.0  # the folder may be on a network
_SHOTS_PER_WORKER = 3


@dataclass(frozen=True)
class PreviewUpdate:
    """A sheet after a change.

    sheet: None if it could not be made; error: why
    changed: files that are new, different or gone; none for the first sheet
    seconds: from when the change was noticed until the sheet was written
    """

    sheet: Image.Image | None
    error: BlendgenError | None
    changed: tuple[Path, ...]
    seconds: float


class PreviewWatch:
    """spec: its file; read_spec: reads it, with overrides"""

    def __init__(
        self,
        spec: Path,
        read_spec: Callable[[], SpecFile],
        options: PreviewOptions,
        output: Path,
        progress: ProgressLike,
    ):
        refuse_output(output)
        self._read_spec = read_spec
        read_spec()  # a spec that is wrong from the start is an error
        workers = cores() if options.grid else max(1, min(cores(), options.count // _SHOTS_PER_WORKER))
        self._options = replace(options, workers=workers)
        self._watched = _Watched(spec, output)
        self._output, self._progress = output, progress
        self._cells = LiveCells()

    def updates(self) -> Generator[PreviewUpdate]:
        """Make the sheet now and after each change, without end; raises Interrupted after a signal."""
        with (
            reported_to(self._progress) as progress,
            scratch_folder("films") as folder,
            kept_workers(self._options.workers, progress.note) as workers,
        ):
            changed: set[Path] = set()
            began_s = time.monotonic()
            while True:
                sheet: Image.Image | None = None
                error: BlendgenError | None = None
                try:
                    sheet = self._made(progress, workers, FilmStore(folder))
                except BlendgenError as wrong:
                    error = wrong
                if not isinstance(error, Superseded):
                    yield PreviewUpdate(sheet, error, tuple(sorted(changed)), time.monotonic() - began_s)
                    changed.clear()
                workers.start()
                began_s, new = self._watched.wait_for_change()
                changed.update(new)
                progress.note(f"{some_of([path.name for path in new])} changed")

    def _made(self, progress: Progress, workers: EarlyWorker, films: FilmStore) -> Image.Image:
        """The sheet; raises BlendgenError, Superseded after a change meanwhile, Interrupted."""
        began_ns = time.time_ns()
        self._watched.note()
        spec_file = self._read_spec()
        self._watched.read_by(spec_file)
        planned = planned_preview(spec_file, self._options, self._output)
        self._watched.used_by(spec_file, planned.inventory.catalog)

        def make_all(run: Run) -> Outcome:
            return self._make_all(run, planned.page)

        sheet = planned.make(progress, workers, make_all, films.folder)
        self._cells.end()
        films.make_room(began_ns)
        return sheet

    def _make_all(self, run: Run, page: PreviewPage) -> Outcome:
        """Make the images of a run, each of which is shown as it comes, until a file changes."""
        files = ImageFiles(run.store.layout)
        self._cells.begin()
        with (
            StopSignal(at_once=True) as stop,
            self._watched.superseding(stop),
            closing(run.batches(stop)) as made,
        ):
            for rows in made:
                self._cells.add(page, files, rows)
        return run.outcome


class _Watched:
    """The files that a sheet is made from, and their state from before they were read."""

    def __init__(self, spec: Path, output: Path):
        self._spec, self._output = spec, output
        self._folders: set[Path] = set()
        self._files: set[Path] = set()
        self._before: Snapshot = {}

    def note(self) -> None:
        """The files are read after this."""
        self._before = self._look()

    def read_by(self, spec_file: SpecFile) -> None:
        """The spec names these folders."""
        self._folders = watched_folders(spec_file)
        self._note_more()

    def used_by(self, spec_file: SpecFile, catalog: Catalog) -> None:
        """Its models use these files."""
        self._files = used_files(spec_file, catalog)
        self._note_more()

    def _note_more(self) -> None:
        """Files that are watched from now on are as they are now, the others as they were."""
        before = {path: state for path, state in self._before.items() if self._covers(path)}
        self._before = {**self._look(), **before}

    def _covers(self, path: Path) -> bool:
        return path in (self._spec, *self._files) or not self._folders.isdisjoint(path.parents)

    def wait_for_change(self) -> tuple[float, list[Path]]:
        """When a change was noticed, and the files that changed, once they do not change any more."""
        while (after := self._look_after(_POLL_S)) == self._before:
            pass
        noticed_s = time.monotonic()
        while (settled := self._look_after(_SETTLED_S)) != after:
            after = settled
        return noticed_s, changed_files(self._before, after)

    @contextmanager
    def superseding(self, stop: StopSignal) -> Generator[None]:
        """Inside of the block, a change ends a run."""

        def look() -> None:
            if not stop.superseded and self._look_after(0.0) != self._before:
                stop.supersede()

        ticker = Ticker(_POLL_S, look)
        try:
            yield
        finally:
            ticker.stop(_LAST_LOOK_S)

    def _look(self) -> Snapshot:
        return snapshot(self._spec, self._folders, self._output, self._files)

    def _look_after(self, pause_s: float) -> Snapshot:
        time.sleep(pause_s)
        began_s = time.monotonic()
        files = self._look()
        time.sleep(_REST * (time.monotonic() - began_s))
        return files
