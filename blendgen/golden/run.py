"""Smoke: a few tiny images of a spec, checked and compared with golden files, within seconds.

In: a SpecFile and SmokeOptions. Out: a SmokeReport; with `update`, the golden files. Everything is rendered
into a temporary folder. The steps: measure the models, render, verify, cast rays, compare.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path

from blendgen import __version__
from blendgen.engine.blender.importing.inventory import measured_inventory
from blendgen.engine.device import parse_device
from blendgen.errors import BlendgenError, Interrupted, TimeLimitReached, UsageError
from blendgen.files.scratch import scratch_folder
from blendgen.golden.bounds import bounds_of
from blendgen.golden.compare import compared
from blendgen.golden.coverage import class_check, left_out
from blendgen.golden.facts import Facts, facts_of
from blendgen.golden.files import Golden, GoldenImage, has_golden, new_record, read_golden, write_golden
from blendgen.golden.findings import NO_GOLDEN, Check, Finding, SmokeReport
from blendgen.golden.machine import Tier, differences_of, tier_of
from blendgen.golden.made import Made, make, worker_count
from blendgen.golden.noise import noise_of
from blendgen.golden.pictures import remove_pictures, write_pictures, write_report
from blendgen.golden.pixels import pixel_digest
from blendgen.golden.places import Places
from blendgen.golden.plan import plan_of
from blendgen.spec.load import SpecFile
from blendgen.system.progress import Progress, ProgressLike, reported_to
from blendgen.system.time_limit import TimeLimit
from blendgen.verification.dataset import verify
from blendgen.verification.ray_check import ray_faults
from blendgen.verification.rays.cast import require_embree
from blendgen.workers.early_worker import EarlyWorker
from blendgen.workers.gpu_probe import devices_for
from blendgen.workers.stop_signal import StopSignal

_NO_EMBREE = "embreex is not installed: pip install 'blendgen[audit]'"


@dataclass(frozen=True)
class SmokeOptions:
    """See api.smoke; raises UsageError for a budget that is not possible."""

    places: Places
    budget_s: float = 60.0
    update: bool = False
    require_ray_check: bool = False
    device: str = "cpu"
    strict: bool = False

    def __post_init__(self) -> None:
        if not self.budget_s >= 1:
            raise UsageError(f"budget: expected at least 1 second, got {self.budget_s:g}")


@dataclass
class _Run:
    """A smoke run on its way; seconds: by step."""

    spec_file: SpecFile
    options: SmokeOptions
    progress: Progress
    time_limit: TimeLimit
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        began_s = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = time.monotonic() - began_s


def run_smoke(
    spec_file: SpecFile,
    options: SmokeOptions,
    progress: ProgressLike,
    early_worker: EarlyWorker,
    began_s: float | None = None,
) -> SmokeReport:
    """Make, check and compare the images; raises BlendgenError, Interrupted after a signal.

    began_s: when the budget began, by time.monotonic(); None: now
    """
    if options.require_ray_check:
        require_embree()
    places, output = options.places, options.places.output
    places.check(options.update)
    golden = None if options.update or not has_golden(places.golden) else read_golden(places.golden)
    if output is not None:
        remove_pictures(output, places.junit)
    with reported_to(progress) as reporter, scratch_folder("smoke") as scratch:
        limit = TimeLimit.since(began_s, None if options.update else options.budget_s)
        run = _Run(spec_file, options, reporter, limit)
        made = _made(run, scratch, early_worker)
        checks = _checks(run, made)
        facts = facts_of(spec_file, made)
        if options.update:
            _update(run, made, facts, checks)
        tier = None if golden is None else tier_of(golden.record.machine, facts.machine)
        with run.step("comparing"):
            if golden is not None and tier is not None:
                checks += compared(golden, made, facts, tier)
            elif not options.update:
                checks += (_no_golden(run),)
            report = _report(run, made, facts, golden, tier, checks)
            if output is not None:
                write_pictures(output, made, golden)
                write_report(output, report.as_dict())
    return report


def _made(run: _Run, scratch: Path, early_worker: EarlyWorker) -> Made:
    options, budget = run.options, f"{run.options.budget_s:g} s"
    try:
        with run.step("models"):
            devices = devices_for(parse_device(options.device))
            inventory = measured_inventory(run.spec_file, options.strict, run.time_limit.for_other_work())
        plan = plan_of(run.spec_file, inventory.class_table)
        with run.step("rendering"):
            made = make(plan, inventory, scratch / "set", devices, run.time_limit, run.progress, early_worker)
    except TimeLimitReached:
        raise _nothing_made("all models are measured", budget) from None
    if made.late and not made.rows and not made.failures:
        raise _nothing_made("the first image is finished", budget)
    return made


def _nothing_made(what: str, budget: str) -> TimeLimitReached:
    return TimeLimitReached(
        f"the budget of {budget} is used up before {what}; raise --budget, or keep the cache of measured "
        "models between runs (docs/ci.md)"
    )


def _checks(run: _Run, made: Made) -> tuple[Check, ...]:
    spent_s = run.seconds["models"], run.seconds["rendering"]
    checks = [class_check(made, run.options.budget_s, *spent_s)]
    with run.step("verifying"):
        faults = verify(made.layout.root, record=made.record) if made.rows else iter(())
        findings = tuple(Finding(str(fault), index=fault.index) for fault in faults)
    checks.append(_timed(run, Check("verify", findings, f"files and labels of {len(made.rows)} images")))
    checks.append(_ray_check(run, made))
    return tuple(checks)


def _timed(run: _Run, check: Check) -> Check:
    return replace(check, seconds=[*run.seconds.values()][-1])


def _ray_check(run: _Run, made: Made) -> Check:
    if find_spec("embreex") is None and not run.options.require_ray_check:
        return Check("ray check", (Finding(_NO_EMBREE),), skipped=True)
    if run.time_limit.is_over():
        late = Finding(f"the budget of {run.options.budget_s:g} s is used up; raise --budget")
        return Check("ray check", (late,), skipped=not run.options.require_ray_check)
    with run.step("ray check"):
        count = len(made.rows)
        workers = worker_count(count)
        faults = [*ray_faults(made.reopened, count, run.progress, workers)] if count else []
    findings = tuple(Finding(str(fault), index=fault.index) for fault in faults)
    return _timed(run, Check("ray check", findings, f"labels of {len(made.rows)} images against rays"))


def _update(run: _Run, made: Made, facts: Facts, checks: tuple[Check, ...]) -> None:
    """Write golden files; refuses to where a check has failed, so that no fault becomes golden."""
    failed = [finding.text for check in checks if not check.skipped for finding in check.findings]
    if failed:
        raise BlendgenError("no golden files were written, as these checks failed:\n  " + "\n  ".join(failed))
    with run.step("measuring noise"):
        noise = noise_of(made.job, [*made.rows.values()], run.progress)
    bounds = bounds_of(noise)
    clean = {index: made.clean(index) for index in made.rows}
    images = {
        str(index): GoldenImage(
            label=made.plan.images[index],
            digests=facts.digests[index],
            clean=pixel_digest(clean[index]),
            bounds=bounds[index],
        )
        for index in made.rows
    }
    record = new_record(
        blendgen_version=__version__, pixels_version=facts.pixels_version, machine=facts.machine,
        classes=facts.classes, models=facts.models, images=images, spec=facts.spec,
    )  # fmt: skip
    with StopSignal() as stop:  # all of them or none
        write_golden(run.options.places.golden, record, facts.rows, clean)
    if stop.signum is not None:
        raise Interrupted(stop.signum, f"stopped after {run.options.places.golden} was written")


def _no_golden(run: _Run) -> Check:
    way_out = (
        f"make them with `blendgen smoke {run.spec_file.document.file} --update`, look at them, commit them"
    )
    return Check(NO_GOLDEN, (Finding(f"no files in {run.options.places.golden}; {way_out}"),), skipped=True)


def _report(
    run: _Run, made: Made, facts: Facts, golden: Golden | None, tier: Tier | None, checks: tuple[Check, ...]
) -> SmokeReport:
    places, document = run.options.places, run.spec_file.document
    reason = "" if golden is None else differences_of(golden.record.machine, facts.machine)
    return SmokeReport(
        name=run.spec_file.spec.name,
        spec=document.file,
        images={index: made.plan.images[index] for index in made.rows},
        checks=checks,
        left_out=tuple(left_out(made)),
        golden=places.golden,
        has_golden=golden is not None or run.options.update,
        updated=run.options.update,
        tier=tier,
        tier_reason=reason,
        seconds=run.seconds,
        places={path: (document.file, line) for path, (line, _) in document.places.items() if line},
        output=places.output,
    )
