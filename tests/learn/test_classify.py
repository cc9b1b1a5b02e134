"""A model of a run says of which class photos are, in float and with 8-bit integers."""

from __future__ import annotations

import csv
import json
import logging
import shutil

import numpy as np
import onnx
import pytest
from PIL import Image

import blendgen
from blendgen.cli import run as run_command
from blendgen.errors import DatasetError, ExitCode, UsageError
from blendgen.learn.classifier import opened_classifier
from blendgen.learn.features import inference_session
from blendgen.learn.open_set import Plane
from blendgen.learn.pixels import network_input
from blendgen.learn.run_folder import read_run
from blendgen.photos.camera import camera_frames

pytestmark = pytest.mark.usefixtures("backbone")


@pytest.fixture(scope="package")
def noise(place):
    """Pictures of none of the classes."""
    folder = place / "noise"
    folder.mkdir()
    rng = np.random.default_rng(1)
    for number in range(8):
        Image.fromarray(rng.integers(0, 256, (40, 40, 3), np.uint8)).save(folder / f"{number}.png")
    return folder


@pytest.fixture
def run(out, photos, noise, backbone, place):
    """With a threshold; stored for all tests of this file."""
    folder = place / "rejecting"
    if not folder.exists():
        blendgen.train(out, folder, head_only=True, real=photos, unknown=noise)
    return read_run(folder)


def test_the_model_states_and_computes_how_familiar_a_picture_is(run, out, backbone):
    images = [blendgen.open_dataset(out).image(n) for n in (3, 8)]
    pixels = np.stack([network_input(image, backbone.preprocessing) for image in images])
    features = inference_session(backbone.path.read_bytes()).run(None, {"image": pixels})[0]
    session = inference_session(run.model.read_bytes())
    outputs = dict(
        zip([o.name for o in session.get_outputs()], session.run(None, {"image": pixels}), strict=True)
    )
    assert {*outputs} == {"scores", "probabilities", "familiarity", "features"}
    assert np.allclose(outputs["features"], features, atol=1e-5)
    shown = json.loads(session.get_modelmeta().custom_metadata_map["open_set"])
    assert shown == run.record["open_set"] and run.record["unknown"]["count"] == 8
    graph = onnx.load_model(run.model).graph
    basis = next(onnx.numpy_helper.to_array(one) for one in graph.initializer if one.name == "open.basis")
    assert np.allclose(outputs["familiarity"], Plane(basis).familiarity(features), atol=1e-5)


def test_guesses_are_those_of_the_evaluation(run, photos, noise):
    guesses = blendgen.classify(run.folder, photos / "test", noise / "1.png")
    assert len(guesses) == 13 and guesses.classes == run.classes
    facts = blendgen.evaluate(run.folder, photos).facts
    own = [one for one in guesses if one.photo.parent.parent.name == "test"]
    right = sum(one.label == one.photo.parent.name for one in own)
    assert right == facts["accuracy"]["right"] == facts["models"]["float"]["accuracy"]["right"]
    assert sum(one.is_known for one in own) == facts["models"]["float"]["accepted"]["right"]
    assert all(one.is_known == (one.familiarity >= guesses.threshold) for one in guesses)
    left_out = blendgen.classify(run.folder, photos / "train").left_out
    assert any("broken.jpg: cannot be read" in message for message in left_out)
    assert all(sum(one.probabilities.values()) == pytest.approx(1, abs=1e-5) for one in guesses)
    everything = blendgen.classify(run.folder, photos / "test", noise, reject=False)
    assert all(one.is_known for one in everything)
    assert not any(one.is_known for one in blendgen.classify(run.model, noise, threshold=1e9))


def test_the_command_prints_lines_json_and_csv(run, photos, noise, tmp_path, capsys):
    values = sorted(one.familiarity for one in blendgen.classify(run.folder, photos / "test", noise))
    limit = ["--threshold", str((values[9] + values[10]) / 2)]
    line = ["classify", str(run.folder), str(photos / "test"), str(noise), *limit, "-q"]
    assert run_command(line) == ExitCode.OK
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 20 and sum("unknown (nearest: " in one for one in lines) == 10
    assert run_command([*line, "--json"]) == ExitCode.OK
    facts = json.loads(capsys.readouterr().out)
    assert sum(one["label"] is None for one in facts["photos"]) == 10 and len(facts["photos"]) == 20
    table = tmp_path / "labels.csv"
    assert run_command([*line, "-o", str(table)]) == ExitCode.OK
    rows = [*csv.DictReader(table.read_text("utf-8").splitlines())]
    assert [row["nearest"] for row in rows] == [one["nearest"] for one in facts["photos"]]
    assert [row["label"] for row in rows] == [one["label"] or "" for one in facts["photos"]]
    capsys.readouterr()
    assert run_command([*line, "-o", str(table)]) == ExitCode.DATASET
    assert "--force replaces it" in capsys.readouterr().err
    assert run_command([*line, "-o", str(table), "--force"]) == ExitCode.OK


def test_pictures_in_memory_get_the_guesses_of_their_files(run, photos):
    guesses = [*blendgen.classify(run.folder, photos / "test")]
    frames = [np.asarray(Image.open(one.photo).convert("RGB")) for one in guesses]
    taken = []
    stream = blendgen.classify_frames(run.model, (taken.append(1) or frame for frame in frames))
    first = next(stream)
    assert len(taken) == 1  # frames are not asked for before their time
    for one, own in zip(guesses, (first, *stream), strict=True):
        assert own.photo is None and own.label == one.label and own.is_known == one.is_known
        assert own.probability == pytest.approx(one.probability, abs=1e-5)
    for wrong in (frames[0].astype(np.float32), frames[0][:, :, 0], np.zeros((0, 4, 3), np.uint8), "frame"):
        with pytest.raises(UsageError, match="frame 1: expected"):
            list(blendgen.classify_frames(run.model, [frames[0], wrong]))


def test_frames_of_a_video_are_classified_one_by_one(run, tmp_path, capsys):
    cv2 = pytest.importorskip("cv2")
    frames = [
        np.full((64, 64, 3), colour, np.uint8) for colour in ((200, 40, 20), (20, 200, 40), (90, 60, 220))
    ]
    video = str(tmp_path / "belt.avi")
    writer = cv2.VideoWriter(video, cv2.VideoWriter_fourcc(*"MJPG"), 5, (64, 64))
    for frame in frames:
        writer.write(np.ascontiguousarray(frame[:, :, ::-1]))
    writer.release()
    read = [*camera_frames(video)]
    # JPEG, in the same order of channels
    assert np.abs(np.stack(read).astype(int) - np.stack(frames)).max() < 12
    assert run_command(["classify", str(run.folder), "--camera", video, "--no-reject"]) == ExitCode.OK
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3 and lines[2].startswith("frame 2: ") and lines[2].endswith(" ms")
    line = ["classify", str(run.folder), "--camera", video, "--json", "--frames", "2"]
    assert run_command(line) == ExitCode.OK
    facts = [json.loads(one) for one in capsys.readouterr().out.splitlines()]
    expected = [*blendgen.classify_frames(run.folder, read[:2])]
    for number, (one, own) in enumerate(zip(facts, expected, strict=True)):
        assert one["frame"] == number and one["nearest"] == own.label and "photo" not in one
        assert one["probability"] == pytest.approx(own.probability, abs=1e-5)
    text = tmp_path / "text.avi"
    text.write_text("no video")
    for source, code, message in (
        (str(text), ExitCode.USAGE, "expected a number, a video file or the URL"),
        ("63", ExitCode.SETUP, "camera 63: cannot be opened"),
    ):
        assert run_command(["classify", str(run.folder), "--camera", source]) == code
        assert message in capsys.readouterr().err


def test_a_camera_needs_its_extra_and_takes_the_place_of_photos(run, photos, monkeypatch, capsys):
    monkeypatch.setattr("blendgen.photos.camera.importlib.util.find_spec", lambda name: None)
    folder = str(run.folder)
    for arguments, code, message in (
        (["--camera", "0"], ExitCode.SETUP, "pip install 'blendgen[camera]'"),
        ([str(photos), "--camera", "0"], ExitCode.USAGE, "takes the place of PHOTOS"),
        ([str(photos), "--frames", "3"], ExitCode.USAGE, "--frames is of --camera"),
        ([], ExitCode.USAGE, "missing PHOTOS"),
    ):
        assert run_command(["classify", folder, *arguments]) == code
        assert message in capsys.readouterr().err


def test_what_is_not_a_model_is_an_error(run, photos, tmp_path, backbone):
    other = tmp_path / "other.onnx"
    other.write_bytes(b"text")
    with pytest.raises(DatasetError, match="expected a run of `blendgen train`"):
        blendgen.classify(other, photos)
    with pytest.raises(DatasetError, match="does not state 'classes'"):
        blendgen.classify(backbone.path, photos)
    with pytest.raises(DatasetError, match="cannot be read"):
        blendgen.classify(tmp_path / "missing.onnx", photos)
    with pytest.raises(DatasetError, match=r"has no run\.json"):
        blendgen.classify(tmp_path, photos)
    with pytest.raises(UsageError, match="expected a photo"):
        blendgen.classify(run.folder)
    with pytest.raises(UsageError, match="finite number"):
        blendgen.classify(run.folder, photos, threshold=float("nan"))


def test_a_model_with_integers_is_smaller_and_says_the_same(run, out, photos, caplog, place, capsys):
    copy = place / "quantized"
    shutil.copytree(run.folder, copy, dirs_exist_ok=True)
    with caplog.at_level(logging.WARNING):
        result = blendgen.quantize(copy, photos=photos)
    assert not caplog.records
    facts = json.loads((copy / "run.json").read_text("utf-8"))["int8"]
    assert facts == json.loads(json.dumps(result.facts)) and facts["tested_on"] == "12 photos"
    assert facts["int8"]["file_bytes"] == result.model.stat().st_size
    lost = facts["float"]["accuracy"]["value"] - facts["int8"]["accuracy"]["value"]
    assert lost <= 0.01 or any("points of accuracy are lost" in note for note in facts["notes"])
    both = [opened_classifier(path) for path in (run.model, result.model)]
    assert both[0].classes == both[1].classes and both[0].threshold == both[1].threshold
    pixels = np.stack([both[0].input(blendgen.open_dataset(out).image(n)) for n in range(12)])
    known, small = (
        inference_session(path.read_bytes()).run(["features"], {"image": pixels})[0]
        for path in (run.model, result.model)
    )
    assert 0 < np.abs(known - small).mean() < 0.1 * np.abs(known).mean()
    models = blendgen.evaluate(copy, photos).facts["models"]
    assert models["int8"]["accuracy"] == facts["int8"]["accuracy"]
    assert run_command(["quantize", str(copy), "-q"]) == ExitCode.OK
    printed = capsys.readouterr().out
    assert "int8: " in printed and " on 20 renders" in printed


def test_a_new_run_removes_the_model_with_integers(out, place):
    run = blendgen.train(out, place / "twice", head_only=True)
    small = blendgen.quantize(run.folder).model
    assert small.exists()
    blendgen.train(out, run.folder, head_only=True)
    assert not small.exists() and "int8" not in read_run(run.folder).record
