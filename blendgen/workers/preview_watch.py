"""Preview watch: the sheet of a spec, made again after each change of the spec or of a file that it reads.

In: what reads the spec, PreviewOptions, and the file of the sheet. Out: an update for each sheet. Workers
that have loaded Blender wait for the next change. A spec that is wrong for the moment leaves the last sheet
as it is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image

from blendgen.errors import BlendgenError, Interrupted
from blendgen.files.names import some_of
from blendgen.models.watched import Snapshot, changed_files, snapshot, watched_folders
from blendgen.spec.load import SpecFile
from blendgen.system.machine import cores
from blendgen.system.progress import Progress, ProgressLike, reported_to
from blendgen.workers.early_worker import EarlyWorker, start_early_workers
from blendgen.workers.preview import PreviewOptions, make_preview, refuse_output

_POLL_S = 0.2
_SETTLED_S = 0.1  # a file that is still being written changes within this time
_REST = 4  # times as long as a look at the files takes, at least, between two looks
_SHOTS_PER_WORKER = 3


@dataclass(frozen=True)
class PreviewUpdate:
    """A sheet after a change.

    sheet: None if it could not be made; error: why
    changed: files that are new, different or gone; none for the first sheet
    seconds: from the change until the sheet was written
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
        self._spec, self._output, self._progress = spec, output, progress
        self._folders: set[Path] = set()

    def updates(self) -> Generator[PreviewUpdate]:
        """Make the sheet now and after each change, without end; raises Interrupted after a signal."""
        before: Snapshot | None = None
        with reported_to(self._progress) as progress:
            while True:
                with start_early_workers(self._options.workers) as early_workers:
                    changed = [] if before is None else self._wait_for_change(before)
                    began_s = time.monotonic()
                    if changed:
                        progress.note(f"{some_of([path.name for path in changed])} changed")
                    before, sheet, error = self._made(progress, early_workers)
                yield PreviewUpdate(sheet, error, tuple(changed), time.monotonic() - began_s)

    def _made(
        self, progress: Progress, early_workers: EarlyWorker
    ) -> tuple[Snapshot, Image.Image | None, BlendgenError | None]:
        """The files from before they were read, and the sheet or why there is none."""
        files = self._look()
        try:
            spec_file = self._read_spec()
            folders = watched_folders(spec_file)
            if folders != self._folders:
                self._folders = folders
                files = {**self._look(), **{path: files[path] for path in files.keys() & {self._spec}}}
            return files, make_preview(spec_file, self._options, self._output, progress, early_workers), None
        except Interrupted:
            raise
        except BlendgenError as error:
            return files, None, error

    def _look(self) -> Snapshot:
        return snapshot(self._spec, self._folders, without=self._output)

    def _wait_for_change(self, before: Snapshot) -> list[Path]:
        """The files that changed, once they do not change any more."""
        while (after := self._look_after(_POLL_S)) == before:
            pass
        while (settled := self._look_after(_SETTLED_S)) != after:
            after = settled
        return changed_files(before, after)

    def _look_after(self, pause_s: float) -> Snapshot:
        time.sleep(pause_s)
        began_s = time.monotonic()
        files = self._look()
        time.sleep(_REST * (time.monotonic() - began_s))
        return files
