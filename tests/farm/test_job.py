"""What a farm is to make: the command line of a shard makes the same spec; what cannot run is an error."""

from pathlib import Path

import click
import pytest

from blendgen.cli.generate import command
from blendgen.cli.options import overrides
from blendgen.errors import UsageError
from blendgen.farm.job import farm_job, memory_mib, this_program
from blendgen.files.url import Url
from blendgen.spec.load import load_spec, parse_override

SETTINGS = ("camera.distance_m={uniform: [0.4, 0.6]}", "products[0].catalog=phones", "name='é {x}'",
            "surface.color=#102030", "camera.roll_deg=1e-05")  # fmt: skip


def job(spec, folder="out", shards=2, changes=(), **options):
    return farm_job(
        load_spec(spec, changes), spec, folder if isinstance(folder, Url) else Path(folder), shards, **options
    )


def test_a_shard_loads_the_spec_as_this_command_line_does(spec):
    changes = [*overrides(SETTINGS, seed=7, render="smoke", images=5)]
    made = job(spec, changes=changes, strict=True)
    words = list(made.generate(str(spec), "out"))
    assert words[:6] == ["generate", str(spec), "-o", "out", "--render", "smoke"] and "--strict" in words
    context = click.Context(command, help_option_names=["-h", "--help"])  # click keeps the first ones
    values, _, _ = command.make_parser(context).parse_args(words[1:])
    again = overrides(tuple(values["settings"]), int(values["seed"]), values["render"], int(values["images"]))
    assert load_spec(spec, tuple(again)).spec == load_spec(spec, tuple(changes)).spec


def test_merging_refuses_mixed_devices_unless_they_are_allowed(spec):
    assert job(spec).merge("out") == ("merge", "-o", "out")
    mixed = job(spec, allow_mixed_devices=True).merge("out")
    assert mixed == ("merge", "-o", "out", "--allow-mixed-devices")


def test_paths_are_absolute_and_the_program_is_this_one(spec, monkeypatch):
    monkeypatch.chdir(spec.parent)
    made = job(Path("scene.yaml"), folder="out")
    assert made.spec == spec and made.folder == spec.parent / "out"
    assert Path(this_program()[0]).is_absolute() and made.words(("blendgen",)) == ("blendgen",)
    assert job(spec, program="apptainer exec 'my image' blendgen").words(()) == (
        *("apptainer", "exec", "my image", "blendgen"),
    )


@pytest.mark.parametrize(
    "name, expected", [("Shapes & more", "blendgen-shapes-more"), ("日本", "blendgen"), ("a" * 99, None)]
)
def test_the_name_of_the_job_is_that_of_the_spec_as_a_label(spec, name, expected):
    made = job(spec, changes=[parse_override(f"name='{name}'")])
    assert made.name == (expected or f"blendgen-{'a' * 30}")


@pytest.mark.parametrize(
    "text, mib", [("8G", 8192), ("8 GiB", 8192), ("1.5g", 1536), ("512M", 512), ("2T", 1 << 21)]
)
def test_memory_has_a_unit(text, mib):
    assert memory_mib(text) == mib


@pytest.mark.parametrize("text", ["8", "G", "", "-1G", "1K", "1e3G", "8 GB/s", "9999999999G", "9999T"])
def test_other_memory_is_rejected(text):
    with pytest.raises(UsageError, match=r"^memory: expected at least 512M with a unit"):
        memory_mib(text)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"shards": 9}, "^shards: the spec has 8 shots, so expected 1 to 8 shards, got 9"),
        ({"shards": 0}, "^shards: "),
        ({"gpus": 1}, "^gpus: name the device that all shards render on"),
        ({"gpus": 1, "device": "auto"}, "^gpus: name the device"),
        ({"device": "cuda"}, "^device cuda: ask for GPUs too"),
        ({"gpus": 1, "device": "gpu"}, "unknown device"),
        ({"gpus": -1}, "^gpus: expected 0 to 64"),
        ({"cpus": 0}, "^cpus: expected 1 to 4096"),
        ({"notice_s": 601}, "^notice: expected 1 to 600"),
        ({"name": "a b"}, "^name: expected 1 to 42 letters"),
        ({"name": "a\n"}, "^name: "),
        ({"folder": "a\0b"}, "null character"),
        ({"program": "'"}, "^program: .* is not a command line"),
        ({"program": ""}, "^program: expected the words"),
    ],
)
def test_what_cannot_run_is_an_error(spec, options, message):
    with pytest.raises(UsageError, match=message):
        job(spec, **options)


def test_a_shard_is_at_least_one_shot(spec):
    with pytest.raises(UsageError, match="the spec has 3 shots"):
        job(spec, shards=4, changes=[parse_override("exposures_per_shot=3")])
