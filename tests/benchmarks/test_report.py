import json
import subprocess
import sys

import pytest

from benchmarks.bench_page import bench_page
from benchmarks.plot import plot
from benchmarks.table import table
from benchmarks.thresholds import FAIL, NOT_JUDGED, NOT_MEASURED, PASS, THRESHOLDS, failed, verdicts
from blendgen.errors import DatasetError
from blendgen.files.result_file import write_result
from blendgen.system.machine import cores
from tests.benchmarks.fake import fake_report

# an interface: programs that read bench.json rely on it; a change of meaning needs a new schema_version
KEYS = {
    "schema_version", "conditions", "noise", "rates", "stages", "floor", "materials", "costs", "start_up_s",
    "session", "blenderproc", "ratios", "figures", "verdicts",
}  # fmt: skip
RATE_KEYS = {
    "exposures", "workers", "cores", "images_per_s", "shots_per_s", "idle", "parent_peak_mb",
    "worker_peaks_mb",
}  # fmt: skip
FIGURES = {
    "exposures_8_to_1", "develop_encode_ms", "wall_to_floor", "two_cores_to_one", "first_image_s", "help_s",
    "session_growth_mb", "session_slowdown", "denoise_develop_ms", "materials_to_plain",
    *(f"blendgen_{exposures}_to_blenderproc_{theirs}" for exposures in (1, 8) for theirs in
      ("call_by_call", "call_by_call_tuned", "key_frames", "key_frames_tuned")),
}  # fmt: skip


@pytest.fixture(scope="module")
def report():
    return fake_report()


def test_the_keys_of_the_report_stay(report):
    assert set(report) == KEYS
    assert report["schema_version"] == 1
    assert set(report["rates"][0]) == RATE_KEYS
    assert set(report["figures"]) == FIGURES == {threshold.figure for threshold in THRESHOLDS}
    assert set(report["costs"]) == {"resolution", "samples", "products", "images"}
    assert set(report["rates"][0]["images_per_s"]) == {"median", "low", "high", "count"}


def test_the_report_is_json(report):
    assert json.loads(json.dumps(report, allow_nan=False)) == report


def test_shares_of_the_stages_sum_to_one(report):
    for part in report["stages"]:
        rows = part["stages"].values()
        assert sum(row["share_of_wall"] for row in rows) == pytest.approx(1)
        computing = sum(row["share_of_cores"] for row in rows)
        assert computing + part["idle_share_of_cores"] == pytest.approx(1)
        assert sum(row["wall_ms_per_image"] for row in rows) == pytest.approx(part["wall_ms_per_image"])


def test_figures_follow_from_the_measurements(report):
    figures = report["figures"]
    assert figures["exposures_8_to_1"] == pytest.approx(7)
    assert figures["develop_encode_ms"] == pytest.approx(10)
    assert figures["denoise_develop_ms"] == pytest.approx(10.25)
    assert figures["materials_to_plain"] == pytest.approx(1.2)  # of the slower scene
    assert figures["wall_to_floor"] == pytest.approx(1)  # a shot in 0.4 s, sampled in 0.4 s
    assert figures["session_growth_mb"] == pytest.approx(2)
    assert report["noise"] == pytest.approx(1.1 / 0.9 - 1)
    if cores() > 1:
        assert figures["two_cores_to_one"] == pytest.approx(2)
    assert report["blenderproc"]["ratios"]["blendgen_8_to_blenderproc_call_by_call"]["median"] == 32


def test_a_limit_that_is_met_passes_and_one_that_is_not_fails(report):
    assert failed(report) == []
    words = {one["figure"]: one["verdict"] for one in report["verdicts"]}
    assert set(words.values()) <= {PASS, NOT_MEASURED}
    for threshold in THRESHOLDS:
        worse = threshold.limit * (0.9 if threshold.at_least else 1.1)
        changed = report | {"figures": report["figures"] | {threshold.figure: worse}}
        (one,) = [v for v in verdicts(changed) if v["figure"] == threshold.figure]
        assert one["verdict"] == FAIL
        assert failed(changed | {"verdicts": verdicts(changed)}) == [threshold.name]


def test_figures_under_other_conditions_are_reported_and_not_judged(report):
    for change in ({"resolution": [64, 64]}, {"samples": 16}, {"quick": True}):
        changed = report | {"conditions": report["conditions"] | change}
        words = {one["figure"]: one["verdict"] for one in verdicts(changed)}
        assert words["exposures_8_to_1"] == NOT_JUDGED
        assert words["help_s"] == (NOT_JUDGED if "quick" in change else PASS)
    short = report | {"conditions": report["conditions"] | {"session_shots": 10}}
    words = {one["figure"]: one["verdict"] for one in verdicts(short)}
    assert words["session_growth_mb"] == NOT_JUDGED
    missing = report | {"figures": report["figures"] | {"wall_to_floor": None}}
    assert NOT_MEASURED in {one["verdict"] for one in verdicts(missing)}


def test_the_table_shows_noise_spreads_and_verdicts(report):
    text = table(report)
    assert "noise: the same run differed by up to 22 % from round to round" in text
    assert "17.5 ±10 %" in text
    for threshold in THRESHOLDS:
        assert threshold.name in text
    assert "BlenderProc 2.8.0 on Blender 4.2.0" in text
    assert "BlenderProc 2.8.0" not in table(fake_report(versus=False))


def test_blenderproc_is_not_judged_where_it_was_not_measured():
    alone = fake_report(versus=False)
    words = {one["figure"]: one["verdict"] for one in alone["verdicts"]}
    assert words["blendgen_8_to_blenderproc_call_by_call"] == NOT_MEASURED and failed(alone) == []


def test_the_page_names_machine_versions_and_date_and_what_is_missed_or_missing(report):
    conditions = report["conditions"]
    page = bench_page(report)
    for name in ("blendgen", "blender", "python", "machine", "processor", "date"):
        assert conditions[name] and conditions[name] in page
    met = sum(one["verdict"] == PASS for one in report["verdicts"])
    assert f"{met} of {len(THRESHOLDS)} thresholds are met" in page and "- start" not in page
    slow = report | {"figures": report["figures"] | {"first_image_s": 9.0, "help_s": None}}
    page = bench_page(slow | {"verdicts": verdicts(slow)})
    assert f"{met - 2} of {len(THRESHOLDS)} thresholds are met" in page
    missed, missing = page.split("Not measured:")
    assert "- start to first image" in missed.split("Not met:")[1] and "- blendgen --help" in missing


def test_what_is_not_judged_is_not_met(report):
    quick = report | {"conditions": report["conditions"] | {"quick": True}}
    page = bench_page(quick | {"verdicts": verdicts(quick)})
    assert f"\n0 of {len(THRESHOLDS)} thresholds are met" in page
    assert "- blendgen --help" in page.split("Not judged:")[1]


def test_a_page_is_replaced_by_the_next_and_another_file_is_not(report, tmp_path):
    page = tmp_path / "page.md"
    for _ in range(2):
        write_result(page, bench_page(report).encode())
    page.write_text("# My notes\n")
    with pytest.raises(DatasetError):
        write_result(page, bench_page(report).encode())


@pytest.mark.slow
def test_the_plot_is_a_png(report):
    pytest.importorskip("matplotlib")
    for one in (report, fake_report(versus=False)):
        assert plot(one).startswith(b"\x89PNG")


@pytest.mark.slow
def test_only_the_plot_loads_matplotlib():
    code = (
        "import sys, benchmarks.__main__, benchmarks.plot, benchmarks.report, benchmarks.table\n"
        "assert not {'matplotlib', 'bpy', 'psutil'} & set(sys.modules), sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
