"""Smoke runs: is a spec still what it was. A failure raises a BlendgenError."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, TypeAlias

from blendgen.api.specs import load_spec
from blendgen.files.url import local_path

if TYPE_CHECKING:
    from blendgen.api.specs import AnySpec, Overrides
    from blendgen.golden.findings import SmokeReport
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
    junit: an XML file to write
    budget_s: seconds from now after which no further image is begun
    update: write the golden files; not in CI, which environment variables show
    require_ray_check: the ray check may not be left out
    The rest is as for generate.
    raises: BlendgenError, TimeLimitReached if not one image is finished in time; Interrupted after a signal
    """
    began_s = time.monotonic()
    from blendgen.workers.early_worker import start_early_worker

    with start_early_worker() as early_worker:
        from blendgen.files.result_file import refuse_others_file, write_result
        from blendgen.golden.ci import refuse_update
        from blendgen.golden.junit import junit_xml
        from blendgen.golden.run import SmokeOptions, golden_folder, run_smoke

        if update:
            refuse_update(os.environ)
        spec_file = load_spec(spec, overrides)
        places = [None if place is None else local_path(place) for place in (golden, output, junit)]
        if places[2] is not None:
            refuse_others_file(places[2])
        options = SmokeOptions(
            places[0] or golden_folder(spec_file), places[1], budget_s, update, require_ray_check, device,
            strict,
        )  # fmt: skip
        report = run_smoke(spec_file, options, progress, early_worker, began_s)
        if places[2] is not None:
            write_result(places[2], junit_xml(report))
    return report
