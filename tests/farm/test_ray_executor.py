"""What a task of Ray runs, and what is said where Ray cannot be used; the cluster is in test_ray.py."""

import sys
from types import SimpleNamespace

import pytest

from blendgen import __version__
from blendgen.errors import ExitCode, SetupError
from blendgen.farm.executors import ray_task
from blendgen.farm.executors.base import Resources, Work
from blendgen.farm.executors.child import last_words, run_child
from blendgen.farm.executors.ray import opened_executor, resources_fit
from blendgen.system.allocation import allotted_bytes, allotted_cores
from blendgen.system.progress import Counter


@pytest.fixture
def granted(monkeypatch):
    """Runs a task with what Ray granted to it; returns its result and the environment of its process."""

    def run(version=__version__, result=(0, ""), **resources):
        environments = []
        context = SimpleNamespace(get_assigned_resources=lambda: resources)
        monkeypatch.setitem(sys.modules, "ray", SimpleNamespace(get_runtime_context=lambda: context))
        monkeypatch.setattr(ray_task, "run_child", lambda words, given: environments.append(given) or result)
        return ray_task.make_shard(["generate"], version), *environments

    return run


def test_a_task_takes_the_cores_and_the_memory_that_were_granted(granted):
    result, environment = granted(CPU=3.0, GPU=1.0, memory=float(2 << 30))
    assert result == (0, "")
    assert [bound.value for bound in allotted_cores(environment)] == [3]
    assert [bound.value for bound in allotted_bytes(environment)] == [2 << 30]
    _, environment = granted(CPU=0.5)
    assert [bound.value for bound in allotted_cores(environment)] == [1] and not allotted_bytes(environment)


def test_an_error_names_the_node(granted):
    (code, message), _ = granted(result=(4, "no GPU"), CPU=1.0)
    assert code == 4 and message.startswith("no GPU (on ")


def test_a_node_with_another_version_is_not_fit(granted):
    ((code, message),) = granted(version="0.0.1")
    assert code == ExitCode.SETUP and f"has blendgen {__version__}, not 0.0.1" in message


def test_a_missing_ray_is_an_error_that_names_the_extra(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "ray", None)
    work = Work(tmp_path / "spec.yaml", tmp_path)
    with (
        pytest.raises(SetupError, match=r"pip install 'blendgen\[ray\]'"),
        opened_executor(work, Resources(), Counter(print)),
    ):
        pass


def test_a_task_fits_on_a_node_that_lives_and_has_all_that_it_needs():
    fits = resources_fit(Resources(cpus=2, gpus=0.5, memory_mib=1024))
    node = {"Alive": True, "Resources": {"CPU": 2.0, "GPU": 1.0, "memory": float(1 << 30)}}
    assert fits(node) and not fits(node | {"Alive": False})
    assert not fits({"Alive": True, "Resources": node["Resources"] | {"CPU": 1.0}})
    assert not fits({"Alive": True, "Resources": {"CPU": 2.0, "memory": float(1 << 30)}})


def test_a_child_returns_its_exit_code_and_its_error(tmp_path):
    code, message = run_child(["status", str(tmp_path / "none")], {})
    assert code == ExitCode.DATASET and message.startswith(f"{tmp_path}/none: ")


@pytest.mark.parametrize(
    ("log", "words"),
    [
        ("", ""),
        ("note: a\nKilled\n", "Killed"),
        ("blendgen: no GPU\n", "no GPU"),
        ("note: a\nblendgen:\nspec.yaml: x\nspec.yaml: y\n", "spec.yaml: x\nspec.yaml: y"),
        ("blendgen: first\nnote: b\nblendgen: second\n", "second"),
    ],
)
def test_the_last_words_of_a_log_are_its_error_or_its_last_line(log, words):
    assert last_words(log) == words
