"""The templates of docs/farms.md, run by the programs that they are for, or by what is nearest to these."""

import json
import os
import shlex
import subprocess

import pytest
import quickjs

from blendgen.farm.environment import chosen_shard
from blendgen.farm.shards import Shard
from tests.farm.engines import needed
from tests.farm.programs import calls, make_programs
from tests.markdown import DOCS, blocks, headings

PAGE = DOCS / "farms.md"
SHARDS = [f"{number}/10" for number in range(10)]


def template(heading: str, language: str) -> str:
    """The first block in this language below a heading."""
    lines = PAGE.read_text("utf-8").splitlines()
    start = lines.index(f"### {heading}") + 1
    return next(block.text for block in blocks(PAGE, language) if block.line > start)


@pytest.fixture
def farm(tmp_path, monkeypatch):
    """The environment of a program in place of blendgen, in an empty working directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bin").mkdir()
    return make_programs(tmp_path / "bin", "blendgen")


def made_shards(farm) -> list[str]:
    """The shards in the order of their calls, all of one data set, which is merged at last."""
    *shards, merge = [arguments for arguments, _ in calls(farm, "blendgen")]
    assert merge == ["merge", "-o", "out"]
    for words in shards:
        assert words[:4] == ["generate", "scene.yaml", "-o", "out"] and "--allow-failed" in words
    return [words[words.index("--shard") + 1] for words in shards]


@pytest.mark.slow
def test_gnu_parallel_makes_each_shard_once(farm, tmp_path):
    needed("parallel")
    text = template("GNU parallel", "sh")
    subprocess.run(["bash", "-ec", text], env=farm | {"HOME": str(tmp_path)}, capture_output=True, check=True)
    assert sorted(made_shards(farm)) == SHARDS


@pytest.mark.slow
def test_gnu_parallel_tries_a_shard_again(farm, tmp_path):
    needed("parallel")
    first, _, _ = template("GNU parallel", "sh").partition("\nblendgen merge")
    environment = farm | {"HOME": str(tmp_path), "CODE": "75"}
    assert subprocess.run(["bash", "-ec", first], env=environment, capture_output=True).returncode != 0
    assert len(calls(farm, "blendgen")) == 6 * len(SHARDS)


@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("BLENDGEN_TEST_SNAKEMAKE"), reason="no path of snakemake is given")
def test_snakemake_makes_each_shard_once_and_merges_them(farm, tmp_path):
    (tmp_path / "Snakefile").write_text(template("Snakemake", "python"))
    words = [os.environ["BLENDGEN_TEST_SNAKEMAKE"], "--cores", "8", "--retries", "0", "--quiet", "all"]
    environment = farm | {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    subprocess.run(words, env=environment, check=True, timeout=240)
    assert sorted(made_shards(farm)) == SHARDS
    workers = [arguments[arguments.index("--workers") + 1] for arguments, _ in calls(farm, "blendgen")[:-1]]
    assert set(workers) == {"4"}
    subprocess.run(words, env=environment, check=True, timeout=240)  # there is nothing left to do
    assert len(calls(farm, "blendgen")) == len(SHARDS) + 1


_FLAMENCO = """
const author = {
  Task: (name, type) => ({
    name: name, type: type, commands: [], needs: [],
    addCommand: function (command) { this.commands.push(command); },
    addDependency: function (task) { this.needs.push(task.name); },
  }),
  Command: (name, parameters) => ({ name: name, parameters: parameters }),
};
const tasks = [];
const defaults = Object.fromEntries(JOB_TYPE.settings.map((one) => [one.key, one.default]));
const settings = Object.assign(defaults, { spec: "scene.yaml", dataset: "out" });
compileJob({ settings: settings, addTask: (task) => tasks.push(task) });
JSON.stringify([JOB_TYPE, tasks]);
"""


def test_flamenco_gets_a_task_for_each_shard_and_a_merge_that_needs_them():
    """author and addTask are what Flamenco gives its scripts."""
    text = quickjs.Context().eval(template("Flamenco 3", "js") + _FLAMENCO)
    job_type, tasks = json.loads(text)
    assert {one["type"] for one in job_type["settings"]} == {"string", "int32"}
    *shards, merge = tasks
    assert all(one["type"] == "blender" and one["needs"] == [] for one in shards)
    assert merge["needs"] == [one["name"] for one in shards]
    (command,) = merge["commands"]
    assert command == {"name": "exec", "parameters": {"exe": "blendgen", "args": ["merge", "-o", "out"]}}
    words = [one["commands"][0]["parameters"]["args"] for one in shards]
    assert [one[one.index("--shard") + 1] for one in words] == SHARDS
    assert words[3] == ["generate", "scene.yaml", "-o", "out", "--shard", "3/10", "--allow-failed"]


def test_opencue_says_which_shard_a_frame_makes():
    words = shlex.split(template("OpenCue", "sh").splitlines()[0])
    name, _, count = words[1].partition("=")
    assert words[0] == "env" and words[2:4] == ["bash", "-c"]
    assert words[4].startswith("blendgen generate scene.yaml -o out --allow-failed ") and len(words) == 5
    assert chosen_shard("auto", {name: count, "CUE_IFRAME": "3", "CUE_FRAME": "0003-shards"}) == Shard(3, 10)


@pytest.mark.parametrize(("code", "expected"), [(0, 0), (8, 33), (75, 75), (3, 3)])
def test_opencue_gives_more_memory_to_a_frame_that_lacks_it(farm, code, expected):
    command = template("OpenCue", "sh").splitlines()[0]
    assert subprocess.run(["bash", "-c", command], env=farm | {"CODE": str(code)}).returncode == expected
    ((arguments, _),) = calls(farm, "blendgen")
    assert arguments == ["generate", "scene.yaml", "-o", "out", "--allow-failed"]


@pytest.mark.slow
def test_aws_batch_takes_the_definition_and_the_submissions():
    from botocore.loaders import Loader
    from botocore.model import ServiceModel
    from botocore.validate import ParamValidator

    service = ServiceModel(Loader().load_service_model("batch", "service-2"))

    def faults(operation, request) -> str:
        shape = service.operation_model(operation).input_shape
        return ParamValidator().validate(request, shape).generate_report()

    definition = json.loads(template("AWS Batch", "json"))
    assert faults("RegisterJobDefinition", definition) == ""
    assert "Unknown parameter" in faults("RegisterJobDefinition", definition | {"image": "x"})
    lines = template("AWS Batch", "sh").replace("\\\n", " ").splitlines()
    _, shards, merge = [shlex.split(line) for line in lines]
    assert {line[2] for line in (shards, merge)} == {"submit-job"}
    known = service.operation_model("SubmitJob").input_shape.members
    for line in (shards, merge):
        options = [word.removeprefix("--") for word in line if word.startswith("--")]
        assert {_camel(option) for option in options} <= set(known)
    assert definition["containerProperties"]["command"][:2] == ["generate", "/farm/scene.yaml"]
    assert merge[-1] == "command=merge,-o,/farm/out"


def _camel(option: str) -> str:
    first, *others = option.split("-")
    return first + "".join(map(str.capitalize, others))


def test_the_page_has_a_template_for_each_farm():
    assert {"Flamenco 3", "OpenCue", "AWS Batch", "Snakemake", "GNU parallel"} <= set(headings(PAGE))
