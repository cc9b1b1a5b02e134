"""Generate to a URL: a run in a folder of this machine, whose data set is sent to an object store.

In: a spec and a URL. Out: a report. A data set that is finished in the store is not made again, and neither
Blender nor a model is loaded for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from blendgen.cloud.target import opened_target
from blendgen.farm.shards import Shard, is_later_shard
from blendgen.files.url import Url
from blendgen.spec.load import SpecFile
from blendgen.system.progress import ProgressLike, reported_to
from blendgen.workers.early_worker import start_early_worker
from blendgen.workers.run import GenerateReport, opened_run


def generate_to(
    url: Url, staging: Path | None, spec_file: SpecFile, shard: Shard | None, progress: ProgressLike, *,
    indices: Sequence[int] | None, force: bool, check_files: bool, retry_failed: bool, **options: Any,
) -> GenerateReport:  # fmt: skip
    """Options are those of opened_run; raises as api.generate."""
    with reported_to(progress) as reporter:
        target = opened_target(url, staging, spec_file, shard, indices, force, reporter)
        if target.is_finished and not check_files and not retry_failed:
            return target.report()
        target.refuse_lack_of_rights()
        target.fetch_spec()
        with (
            start_early_worker() as early_worker,
            opened_run(
                spec_file, target.layout.root, early_worker, reporter, indices=target.indices, force=force,
                check_files=check_files, retry_failed=retry_failed, may_all_fail=is_later_shard(shard),
                prepare=target.prepare, **options,
            ) as run,
        ):  # fmt: skip
            report = target.make(run)
        target.remove_staging()
        return report
