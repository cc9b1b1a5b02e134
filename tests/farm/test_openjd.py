"""The bundle of Open Job Description, its script run with a program in place of blendgen.

tests/farm/test_engines.py runs it with openjd.
"""

import signal
import subprocess
from pathlib import Path

import pytest
import yaml

from blendgen.errors import UsageError
from blendgen.farm.openjd import bundle
from blendgen.files.url import parse_url
from blendgen.spec.load import parse_override
from tests.farm.programs import calls, make_programs, wait_for_call
from tests.farm.test_job import job


def documents(spec, target_s=900, **changes) -> dict:
    files = bundle(job(spec, folder=spec.parent / "out", shards=4, **changes), target_s)
    assert all(text.isascii() for text in files.values())
    return {name: yaml.safe_load(text) for name, text in files.items()}


def steps(spec, **changes) -> dict:
    return {step["name"]: step for step in documents(spec, **changes)["template.yaml"]["steps"]}


def script(spec, **changes) -> str:
    (file,) = steps(spec, **changes)["Shards"]["script"]["embeddedFiles"]
    return file["data"]


@pytest.fixture
def farm(tmp_path):
    (tmp_path / "bin").mkdir()
    return make_programs(tmp_path / "bin", "blendgen")


def test_a_task_is_a_range_of_shards_that_fills_the_target_time(spec):
    step = steps(spec, target_s=60)["Shards"]
    (parameter,) = step["parameterSpace"]["taskParameterDefinitions"]
    assert parameter["type"] == "CHUNK[INT]" and parameter["range"] == "0-3"
    assert parameter["chunks"]["rangeConstraint"] == "CONTIGUOUS"
    target = documents(spec, target_s=60)["template.yaml"]["parameterDefinitions"][2]
    assert target["name"] == "TargetSeconds" and target["default"] == 60
    assert parameter["chunks"]["targetRuntimeSeconds"] == "{{Param.TargetSeconds}}"


def test_a_worker_has_what_a_shard_needs(spec):
    host = steps(spec, cpus=6, memory="16G", gpus=1, device="optix")["Shards"]["hostRequirements"]
    amounts = {amount["name"].removeprefix("amount.worker."): amount["min"] for amount in host["amounts"]}
    assert amounts == {"vcpu": 6, "memory": 16384, "gpu": 1}
    without = steps(spec)["Shards"]["hostRequirements"]["amounts"]
    assert "amount.worker.gpu" not in {amount["name"] for amount in without}


def test_the_script_makes_each_shard_of_its_task_in_order(spec, farm):
    text = script(spec)
    folder = str(spec.parent / "out")
    subprocess.run(["bash", "-c", text, "run", str(spec), folder, "1-3"], env=farm, check=True)
    assert [arguments for arguments, _ in calls(farm, "blendgen")] == [
        ["generate", str(spec), "-o", folder, "--allow-failed", "--shard", f"{n}/4"] for n in (1, 2, 3)
    ]


@pytest.mark.parametrize("code", [1, 5, 75])
def test_the_script_ends_with_the_code_of_the_shard_that_failed(spec, farm, code):
    words = ["bash", "-c", script(spec), "run", str(spec), "out", "0-3"]
    assert subprocess.run(words, env=farm | {"CODE": str(code)}).returncode == code
    assert len(calls(farm, "blendgen")) == 1


def test_a_signal_between_two_shards_stops_the_next_one(spec, farm):
    text = script(spec).replace("  wait $! || exit\n", "  wait $! || exit\n  kill -TERM $$\n", 1)
    text = text.replace('  [ -z "$stopped" ] || exit 143\n', "")  # it came just after this line
    words = ["bash", "-c", text, "run", str(spec), "out", "0-3"]
    done = subprocess.run(words, env=farm | {"SECONDS_EACH": "0"}, stderr=subprocess.PIPE, timeout=240)
    assert done.returncode == 143 and len(calls(farm, "blendgen")) <= 2 and b"kill:" not in done.stderr


def test_a_canceled_task_stops_its_shard_once_and_begins_no_other(spec, farm):
    words = ["bash", "-c", script(spec), "run", str(spec), "out", "0-3"]
    process = subprocess.Popen(words, env=farm | {"SECONDS_EACH": "20"})
    wait_for_call(farm, "blendgen")
    process.send_signal(signal.SIGTERM)  # openjd sends it to the first process alone
    assert process.wait(240) == 143 and len(calls(farm, "blendgen")) == 1
    assert (Path(farm["CALLS"]) / "signals").read_text() == "SIGTERM\n"


def test_both_steps_stop_with_a_notice(spec):
    for step in steps(spec, notice_s=300).values():
        cancelation = step["script"]["actions"]["onRun"]["cancelation"]
        assert cancelation == {"mode": "NOTIFY_THEN_TERMINATE", "notifyPeriodInSeconds": 300}


def test_the_merge_comes_after_all_shards(spec):
    step = steps(spec, program="apptainer exec x.sif blendgen")["Merge"]
    assert step["dependencies"] == [{"dependsOn": "Shards"}]
    run = step["script"]["actions"]["onRun"]
    assert [run["command"], *run["args"]] == [
        *("apptainer", "exec", "x.sif", "blendgen", "merge", "-o", "{{Param.DataSet}}"),
    ]


def test_deadline_cloud_gets_the_values_and_the_files_that_the_spec_names(spec, tmp_path):
    (spec.parent / "models").mkdir()
    changes = [parse_override(text) for text in (
        "products=[{directory: models}]", f"backdrop={{directory: '{tmp_path}'}}",
    )]  # fmt: skip
    files = documents(spec, changes=changes)
    values = {one["name"]: one["value"] for one in files["parameter_values.yaml"]["parameterValues"]}
    assert values == {"Spec": str(spec), "DataSet": str(spec.parent / "out"), "TargetSeconds": 900}
    assets = files["asset_references.yaml"]["assetReferences"]
    assert assets["inputs"] == {"filenames": [str(spec)], "directories": [str(spec.parent / "models")]}
    assert assets["outputs"] == {"directories": [str(spec.parent / "out")]}
    assert assets["referencedPaths"] == [str(tmp_path)]


def test_what_a_template_would_read_as_a_parameter_is_an_error(spec):
    with pytest.raises(UsageError, match=r"begins a parameter of Open Job Description"):
        bundle(job(spec, program="{{Param.Spec}}"))


@pytest.mark.parametrize("target_s", [0, 10**9])
def test_the_target_time_has_bounds(spec, target_s):
    with pytest.raises(UsageError, match=r"^target time: expected 1 to 604800 s"):
        bundle(job(spec), target_s)


def test_a_url_is_a_text_and_no_folder(spec):
    files = bundle(job(spec, folder=parse_url("s3://bucket/a b"), shards=4))
    documents = {name: yaml.safe_load(text) for name, text in files.items()}
    (data_set,) = (
        one for one in documents["template.yaml"]["parameterDefinitions"] if one["name"] == "DataSet"
    )
    assert (data_set["type"], data_set["default"]) == ("STRING", "s3://bucket/a b")
    assert documents["asset_references.yaml"]["assetReferences"]["outputs"] == {"directories": []}
