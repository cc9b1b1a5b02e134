"""The library as a script calls it: what `import blendgen` gives, and what it must not load or print."""

from __future__ import annotations

import inspect
import itertools
import math
import subprocess
import sys
from pathlib import Path

import pytest

import blendgen
from blendgen import api, errors
from blendgen.models.product import Catalog
from blendgen.workers.preview import PreviewOptions
from tests.conftest import make_product
from tests.engine.model_files import QUADS, obj
from tests.exporters.conftest import make_dataset

SPEC = {
    "blendgen": 1,
    "name": "shapes",
    "products": [{"catalog": "shapes"}],
    "resolution": [64, 64],
    "exposures_per_shot": 2,
    "render": "smoke",
}

FUNCTIONS = {
    name: function
    for name, function in vars(api).items()
    if inspect.isfunction(function) and function.__module__.startswith(api.__name__)
}


@pytest.fixture
def small_dataset(tmp_path):
    """The folder of a finished data set of 12 images, painted by the flat engine."""
    catalog = Catalog((make_product("box", "box", (0.1, 0.06, 0.03)),))
    return make_dataset(tmp_path / "set", catalog, 12).root


def ran(code: str) -> str:
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=240)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_importing_the_package_loads_nothing_until_a_name_is_used():
    code = (
        "import sys; before = set(sys.modules); import blendgen; dir(blendgen)\n"
        "print(sorted(name for name in set(sys.modules) - before if name.startswith('blendgen')))\n"
        "blendgen.generate if hasattr(blendgen, 'generate') else blendgen.check\n"
        "print({'numpy', 'PIL', 'pydantic', 'yaml', 'bpy'} & set(sys.modules))"
    )
    assert ran(code) == "['blendgen']\nset()\n"


def test_every_public_name_is_there_and_listed():
    assert set(blendgen.__all__) <= set(dir(blendgen))
    for name in blendgen.__all__:
        assert getattr(blendgen, name) is (getattr(api, name, None) or getattr(errors, name))
    assert {name for name in FUNCTIONS if not name.startswith("_")} <= set(blendgen.__all__)
    with pytest.raises(AttributeError, match="no attribute 'genrate'"):
        blendgen.genrate  # noqa: B018


def test_rows_that_a_program_keeps_are_closed_when_it_ends(monkeypatch, tmp_path):
    registered = []
    monkeypatch.setattr("blendgen.workers.spawn.close_at_exit", registered.append)
    rows = blendgen.generate_rows(SPEC, tmp_path)
    assert registered == [rows]


def test_no_module_takes_the_name_of_a_function():
    """`import blendgen.export` would replace the function of that name."""
    folder = Path(blendgen.__file__).parent
    modules = {path.stem for path in folder.iterdir()}
    assert modules & set(blendgen.__all__) == set()


def test_every_function_has_types_and_a_docstring():
    for name, function in FUNCTIONS.items():
        signature = inspect.signature(function)
        assert all(p.annotation is not p.empty for p in signature.parameters.values()), name
        assert signature.return_annotation is not signature.empty, name
        assert name.startswith("_") or function.__doc__, name


def test_the_package_tells_type_checkers_that_it_has_types():
    assert (Path(blendgen.__file__).parent / "py.typed").exists()


def test_a_spec_can_be_a_mapping_a_file_or_a_loaded_spec(tmp_path):
    from blendgen.spec.load import resolved_yaml

    spec = blendgen.load_spec(SPEC, {"camera.roll_deg": 7, "products[0].models": ["box"]}, seed=9, images=3)
    assert (spec.spec.seed, spec.spec.images, spec.spec.products[0].models) == (9, 3, ["box"])
    (tmp_path / "scene.yaml").write_text(resolved_yaml(spec.spec))
    for path in (tmp_path / "scene.yaml", str(tmp_path / "scene.yaml")):
        assert blendgen.load_spec(path).spec == spec.spec
    changed = blendgen.load_spec(spec, seed=10)
    assert (changed.spec.seed, changed.spec.images, spec.spec.seed) == (10, 3, 9)
    assert blendgen.load_spec(spec) is spec


def test_overrides_of_a_preset_change_a_field_of_it():
    spec = blendgen.load_spec(SPEC, {"render.samples_per_pixel": 3}, render="draft").spec
    assert spec.render.samples_per_pixel == 3
    assert spec.render.max_bounces == blendgen.load_spec(SPEC, render="draft").spec.render.max_bounces


def test_a_wrong_value_is_named_by_its_field_and_where_it_comes_from(tmp_path):
    with pytest.raises(blendgen.SpecError) as caught:
        blendgen.load_spec({**SPEC, "seeed": 1}, {"camera.roll_deg": "abc"})
    override, key = str(caught.value).splitlines()
    assert override.startswith("camera.roll_deg='abc': must be a number") and override.endswith("got 'abc'")
    assert key == "spec: seeed: unknown key; did you mean seed?"
    with pytest.raises(blendgen.UsageError, match=r"absent\.yaml: No such file or directory"):
        blendgen.load_spec(tmp_path / "absent.yaml")


def test_check_reports_products_and_shots():
    report = blendgen.check(SPEC, overrides={"images": 20})
    assert (report.name, report.images, report.products) == ("shapes", 20, 2)
    assert report.classes == ("box", "sphere") and report.notes == []
    assert report.sampled.shots == 10 and sum(report.sampled.splits.values()) == 10
    wide = blendgen.check(SPEC, overrides={"camera": {"distance_m": 0.12}})
    assert any("the frame cuts a product off" in note for note in wide.notes)


def test_a_sample_is_the_shot_and_exposure_of_an_image():
    shot, exposure = blendgen.sample(SPEC, 5)
    assert (shot.index, exposure.index) == (2, 5)
    assert blendgen.sample(blendgen.load_spec(SPEC), 5) == (shot, exposure)
    assert blendgen.sample(SPEC, 5, attempt=1).shot != shot
    assert blendgen.sample(SPEC, 5, overrides={"seed": 1}).shot != shot
    with pytest.raises(blendgen.UsageError, match="index: expected 0 or more, got -1"):
        blendgen.sample(SPEC, -1)
    with pytest.raises(blendgen.UsageError, match="attempt: expected 0 or more, got -1"):
        blendgen.sample(SPEC, 5, attempt=-1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"images": 0}, "images: expected at least 1, got 0"),
        ({"index": -1}, "index: expected 0 or more, got -1"),
    ],
)
def test_preview_refuses_impossible_numbers(options, message):
    with pytest.raises(blendgen.UsageError, match=message):
        PreviewOptions(**options)


def test_verify_returns_faults_and_calls_back_with_each(small_dataset):
    reported = []
    assert blendgen.verify(small_dataset) == []
    (small_dataset / "images" / "stray.png").write_bytes(b"")
    faults = blendgen.verify(small_dataset, on_fault=reported.append)
    assert [str(fault) for fault in faults] == ["images/stray.png: does not belong to a row"]
    assert reported == faults
    with pytest.raises(blendgen.UsageError, match="rerender: expected at least 1 image, got 0"):
        blendgen.verify(small_dataset, rerender=0)


def test_export_takes_the_options_of_the_command_line(small_dataset, tmp_path):
    calls = []
    counts = blendgen.export(
        small_dataset, "coco", tmp_path / "coco", outlines="none", progress=lambda *call: calls.append(call)
    )
    assert counts["train"]["images"] > 0 and calls[0] == (0, 12) and calls[-1] == (12, 12)
    for options, message in (
        ({"outlines": "lines"}, "outlines: expected one of rle, polygon, none, got 'lines'"),
        ({"crops": 0.1}, "crops: an option of"),
        ({"link": "soft"}, "link: expected one of hard, copy, symlink, got 'soft'"),
        ({"crops": math.nan}, "crops: expected a margin from 0 to 2, got nan"),
        ({"shard_mb": 0.0}, "shard_mb: expected a number from 0.001 to 100000, got 0.0"),
        ({"shard_mb": math.nan}, "shard_mb: expected a number from 0.001 to 100000, got nan"),
        ({"shard_mb": math.inf}, "shard_mb: expected a number from 0.001 to 100000, got inf"),
    ):
        with pytest.raises(blendgen.UsageError, match=message):
            blendgen.export(small_dataset, "coco", tmp_path / "wrong", **options)
    with pytest.raises(blendgen.UsageError, match="'cocoa' is not an export format; did you mean coco"):
        blendgen.export(small_dataset, "cocoa", tmp_path / "wrong")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ratio": 0.0}, "ratio: expected a number above 0"),
        ({"ratio": math.nan}, "ratio: expected a number above 0, got nan"),
        ({"photo_splits": {"train": 0.5}}, "the shares must sum to 1, got 0.5"),
        ({"photo_splits": {"train": math.nan}}, "the shares must sum to 1, got nan"),
        ({"photo_splits": {"training": 1.0}}, "expected shares of train, val, test"),
    ],
)
def test_mix_refuses_impossible_options(small_dataset, tmp_path, options, message):
    with pytest.raises(blendgen.UsageError, match=message):
        blendgen.mix(small_dataset, tmp_path, tmp_path / "out", **options)


def test_models_are_inspected_and_described(tmp_path):
    corners = list(itertools.product((0, 1), repeat=3))
    (tmp_path / "cube.obj").write_text(obj(corners, QUADS))
    inspection = blendgen.inspect_models(tmp_path, unit="cm")
    (model,) = inspection.models
    assert inspection.passed and model.product.size_m == pytest.approx((0.01, 0.01, 0.01))
    assert inspection.as_dict()["models"][0]["name"] == "cube"
    sidecar = blendgen.create_sidecar(tmp_path / "cube.obj", unit="cm")
    assert sidecar == tmp_path / "cube.yaml"
    assert blendgen.inspect_models(sidecar).models[0].sidecar is not None
    with pytest.raises(blendgen.UsageError, match="has a sidecar"):
        blendgen.create_sidecar(tmp_path / "cube.obj")
    with pytest.raises(blendgen.UsageError, match="absent: No such file or directory"):
        blendgen.inspect_models(tmp_path / "absent")
