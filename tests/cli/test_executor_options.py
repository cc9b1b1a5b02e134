"""generate --executor, up to the call of the API."""

import pytest

from blendgen import api
from blendgen.cli import run


@pytest.fixture
def called(monkeypatch):
    """Arguments -> (exit code, options of api.generate_on or None)."""
    calls = []

    def generate_on(**options):
        calls.append(options)
        raise KeyboardInterrupt

    monkeypatch.setattr(api, "generate_on", generate_on)

    def with_arguments(*arguments):
        code = run(["generate", "scene.yaml", "-o", "out", *arguments])
        return code, calls.pop() if calls else None

    return with_arguments


def test_options_of_tasks_and_of_the_run_are_passed_on(called):
    words = (
        "--executor ray --shards 7 --cpus-per-task 2 --memory-per-task 4G --workers 1 --check --shard none"
    )
    _, options = called(*words.split())
    assert options["executor"] == "ray" and options["shards"] == 7 and options["memory_per_task"] == "4G"
    assert options["cpus_per_task"] == 2 and options["workers"] == 1 and options["check_files"]
    assert "gpus_per_task" not in options


@pytest.mark.parametrize(("words", "gpus"), [("", 1), ("--gpus-per-task 0.5", 0.5)])
def test_a_task_has_a_gpu_if_the_device_is_one(called, words, gpus):
    _, options = called("--executor", "ray", "--device", "cuda", *words.split())
    assert options["gpus_per_task"] == gpus


@pytest.mark.parametrize(
    "words", ["--index 0-3", "--shard 0/3", "--force", "--events e.jsonl", "--events -", "--time-limit 1h"]
)
def test_options_that_no_executor_can_follow_are_errors(called, capsys, words):
    code, options = called("--executor", "ray", *words.split())
    assert code == 2 and options is None
    assert f"{words.split()[0]}: does not go with --executor" in capsys.readouterr().err


@pytest.mark.parametrize("words", ["--shards 3", "--cpus-per-task 2", "--allow-mixed-devices"])
def test_options_of_tasks_need_an_executor(called, capsys, words):
    assert called(*words.split()) == (2, None)
    assert "add --executor" in capsys.readouterr().err
