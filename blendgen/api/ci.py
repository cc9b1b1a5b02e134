"""Smoke runs: is a spec still what it was. A failure raises a BlendgenError."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, TypeAlias

from blendgen.api.specs import load_spec
from blendgen.files.url import local_path

if TYPE_CHECKING:
    from blendgen.api.specs import AnySpec, Overrides
    from blendgen.golden.findings import SmokeReport
    from blendgen.golden.places import Places
    from blendgen.system.progress import ProgressLike

    AnyPath: TypeAlias = str | os.PathLike[str]


def smoke(
    spec: AnySpec, golden: AnyPath | None = None, output: AnyPath | None = None, *,
    junit: AnyPath | None = None, overrides: Overrides | None = None, budget_s: float = 60.0,
    update: bool = False, require_ray_check: bool = False, device: str = "cpu", strict: bool = False,
    progress: ProgressLike = False,
) -> SmokeReport:  # fmt: skip
    """Make one tiny image of each class, at most 12, check them, and compare them with golden files
    (docs/ci.md); `smoke("scene.yaml").passed` if all is as it was.

    spec, overrides: as for load_spec
    golden: folder of the golden files; None: smoke/<name of the spec file> next to the spec
    output: folder for pictures of what is golden, actual and different; None: they are not kept
    junit: an XML file to write; if an error or a signal ends the run, it states that
    budget_s: seconds from now after which no further image is begun
    update: write the golden files; not in CI, which environment variables show
    require_ray_check: the ray check may not be left out
    The rest is as for generate.
    raises: BlendgenError, TimeLimitReached if not one image is finished in time; Interrupted after a signal
    """
    began_s = time.monotonic()
    from blendgen.workers.early_worker import start_early_worker

    places: Places | None = None
    try:
        with start_early_worker() as early_worker:
            from blendgen.files.result_file import write_result
            from blendgen.golden import places as golden_places
            from blendgen.golden.ci import refuse_update
            from blendgen.golden.junit import junit_xml
            from blendgen.golden.run import SmokeOptions, run_smoke

            if update:
                refuse_update(os.environ)
            spec_file = load_spec(spec, overrides)
            paths = [None if place is None else local_path(place) for place in (golden, output, junit)]
            golden_path = paths[0] or golden_places.golden_folder(spec_file)
            places = golden_places.Places(golden_path, paths[1], paths[2])
            options = SmokeOptions(places, budget_s, update, require_ray_check, device, strict)
            report = run_smoke(spec_file, options, progress, early_worker, began_s)
            if places.junit is not None:
                write_result(places.junit, junit_xml(report))
    except BaseException as error:
        if junit is not None and not (places is not None and places.is_junit_misplaced()):
            _write_failure(error, spec, junit)
        raise
    return report


def _write_failure(error: BaseException, spec: AnySpec, junit: AnyPath) -> None:
    """Write the JUnit XML of a run that has ended early, if that is possible: the error is what matters."""
    from blendgen.errors import BlendgenError
    from blendgen.files.result_file import write_result
    from blendgen.golden.failure import failure_of
    from blendgen.golden.junit import failure_xml

    file = str(spec) if isinstance(spec, str | os.PathLike) else "spec"
    with suppress(BlendgenError):
        write_result(local_path(junit), failure_xml(failure_of(error, file)))
