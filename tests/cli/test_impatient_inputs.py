"""Wrong inputs of somebody in a hurry: one clear line with a way out, the right exit code, nothing is made.

None of them needs Blender, so none may start a process, but for the one that loads it early.
"""

from __future__ import annotations

import errno
import multiprocessing
import os
from contextlib import nullcontext

import pytest

from blendgen.engine.device import choose_devices
from blendgen.workers import early_worker
from blendgen.workers import run as workers_run
from tests.cli.in_process import blendgen
from tests.cli.test_wrong_inputs import SPEC, files

# name: content
SPECS = {
    "photo.jpg": b"\xff\xd8\xff\xe0\0\0",
    "mug.obj": b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n",
    "utf16.yaml": SPEC.encode("utf-16"),
    "empty.yaml": b"",
    "list.yaml": b"- a\n",
    "markdown.yaml": f"```yaml\n{SPEC}```\n".encode(),
    "v2.yaml": SPEC.replace("blendgen: 1", "blendgen: 2").encode(),
    "no-version.yaml": SPEC.replace("blendgen: 1\n", "").encode(),
    "catalog.yaml": SPEC.replace("shapes", "shape").encode(),
    "size.yaml": SPEC.replace("[16, 16]", "16x16").encode(),
    "bom.yaml": b"\xef\xbb\xbf" + SPEC.replace("images", "imges").encode(),
    "latin.yaml": f"{SPEC}# caf\xe9\n".encode("latin-1"),
    "two.yaml": f"{SPEC}---\n{SPEC}".encode(),
    "tabs.yaml": SPEC.replace("\n", "\n\t").encode(),
    "commas.yaml": SPEC.replace("images: 4", "images: 1,000").encode(),
}
# a line that is added to a good spec, and what is wrong with it
LINES = [
    ("camera:\n\troll_deg: 0", ":7:1: not YAML: YAML does not allow tabs as indentation; use spaces"),
    ("camera:\n  roll_deg: 0\n tilt_deg: 1", "check the indentation of this line"),
    ("seed: '1", "check that every quote and bracket is closed"),
    ("images: 5", ":6:1: images: duplicate key 'images'; remove one of them"),
    ("camra: {}", ":6:1: camra: unknown key; did you mean camera?"),
    ("camera: {fov_deg: 30}", "camera.fov_deg: unknown key; known: "),
    ("camera: {distance_cm: 30}", "camera.distance_cm: unknown key; did you mean distance_m?"),
    ("camera: {distance_m: 30 cm}", "got '30 cm'; write the number alone, in the unit of the key"),
    ("camera: {distance_m: '0.5'}", "got '0.5'; leave out the quotes"),
    ("camera: {frame_fill: 50%}", "write a percentage as a share, such as 0.5 for 50%"),
    ("camera: {roll_deg: [0, 5]}", "got [0, 5]; for a range, write {uniform: [0, 5]}"),
    ("camera: {roll_deg: {min: 0, max: 5}}", "got min, max; for a range, write {uniform: [low, high]}"),
    ("camera: {roll_deg: {unifrom: [0, 1]}}", "got unifrom; did you mean uniform?"),
    ("camera: {distance_m: {uniform: [2, 1]}}", "uniform needs low < high, got [2, 1]"),
    ("camera: {distance_m: -1}", "must be above 0 and at most 100, got -1"),
    ("camera: {roll_deg: .nan}", ".nan is not a finite number"),
    ("camera: {distance_m: 300}", "must be above 0 and at most 100, got 300; in metres: 300 mm is 0.3"),
    ("camera: {distance_m: {uniform: [300, 500]}}", "got {uniform: [300, 500]}; in metres: 500 mm is 0.5"),
    ("camera: {focal_length_mm: 0.05}", "got 0.05; in millimetres: 0.05 m is 50"),
    ("camera: {frame_fill: 70}", "must be at least 0.02 and at most 1, got 70; as a share: 70 % is 0.7"),
    ("camera: {elevation_deg: -95}", "must be at least 1 and at most 90, got -95"),
    ("lighting: {lamps: {cuont: 2}}", "lighting.lamps.cuont: unknown key; did you mean count?"),
    ("lighting: {lmps: {count: 2}}", "lighting.lmps: unknown key; did you mean lamps?"),
    ("surface: {kind: wod_table}", "surface.kind: unknown name 'wod_table'; did you mean wood_table?"),
    ("sensor: machine_visoin", "did you mean machine_vision?"),
    ("splits: {train: 80, val: 20}", "the share of train must be from 0 to 1, got 80"),
]
FOLDERS = [
    ("empty", "empty: no model in this folder; expected files (.glb"),
    ("zips", "zips: no model in this folder; expected files (.glb"),
    ("absent", "absent: the folder does not exist; expected a folder with models"),
    ("mug.obj", "mug.obj: is a file; expected the folder that holds the models"),
    ("~/models", "~ and variables are not replaced in a spec, so write the whole path"),
    ("$HOME/models", "~ and variables are not replaced in a spec, so write the whole path"),
    (r"C:\models", r"C:\models: the folder does not exist"),
]
CALLS = [
    ("check scen.yaml", 2, "file or directory; did you mean scene.yaml?"),
    ("check empty", 2, "empty: not a regular file, but a folder; give the YAML file of a scene"),
    ("check .", 2, ".: not a regular file, but a folder; name a spec in it, such as "),
    ("check -", 2, "a spec is not read from stdin"),
    ("check *.yml", 2, "file or directory; no file matches"),
    ("check ~/absent.yaml", 2, "~ and variables are replaced by the shell, but not in quotes"),
    ("check $SPEC", 2, "~ and variables are replaced by the shell, but not in quotes"),
    ("check https://example.com/s.yaml", 2, "is a URL, and `blendgen check` needs a folder or a file"),
    ("check photo.jpg", 3, "not a UTF-8 text file; a spec is a YAML file"),
    ("check mug.obj", 3, "mug.obj:1:1: a spec must be a mapping of keys; see `blendgen schema`"),
    ("check utf16.yaml", 3, "but UTF-16; save it as UTF-8"),
    ("check empty.yaml", 3, "the file is empty; see `blendgen schema` for the keys"),
    ("check list.yaml", 3, "a spec must be a mapping of keys"),
    ("check markdown.yaml", 3, "markdown.yaml:1:1: not YAML: found character '`'"),
    ("check v2.yaml", 3, "blendgen: must be 1, got 2"),
    ("check no-version.yaml", 3, "blendgen is missing: version of the spec format"),
    ("check catalog.yaml", 3, "'shape' is not a family of models; did you mean shapes?"),
    ("check size.yaml", 3, "must be [width, height], each 16 to 8192 pixels, got '16x16'"),
    ("check commas.yaml", 3, "images: must be a whole number, got '1,000'"),
    ("check bom.yaml", 3, "bom.yaml:4:1: imges: unknown key; did you mean images?"),
    ("check latin.yaml", 3, "not a UTF-8 text file"),
    ("check two.yaml", 3, "not YAML: a spec is one document; remove the line --- and what follows it"),
    ("check tabs.yaml", 3, "YAML does not allow tabs as indentation; use spaces"),
    ("check /dev/null", 2, "/dev/null: not a regular file; give the YAML file of a scene"),
    ("check scene.yaml --set =5", 2, "expected KEY=VALUE such as camera.distance_m=0.5, got '=5'"),
    ("check scene.yaml --set camera.distance_m=", 3, "has no value; add one or remove the key"),
    ("check scene.yaml --set images=0", 3, "images=0: must be greater than or equal to 1, got 0"),
    ("check scene.yaml --set roll", 2, "expected KEY=VALUE such as camera.distance_m=0.5, got 'roll'"),
    ("check scene.yaml --set camera=5", 3, "--set camera=5: must be a mapping of keys, got 5"),
    ("check scene.yaml --set camera.rol_deg=0", 3, "unknown key; did you mean roll_deg?"),
    ("check scene.yaml --seed -1", 2, "-1 is not in the range x>=0"),
    ("check scene.yaml --render Finl", 3, "is not a preset of configs/render; did you mean final?"),
    ("check scene.yaml --strct", 2, "option '--strct'. Did you mean '--strict'?"),
    ("generate scene.yaml", 2, "Missing option '-o' / '--output'"),
    ("generate -o out", 2, "Missing argument 'SPEC'"),
    ("generate scene.yaml -o s3:/bucket/x", 2, "expected a URL such as s3://bucket/prefix"),
    ("generate scene.yaml -o s3//bucket/x", 2, "expected a URL such as s3://bucket/prefix"),
    ("generate scene.yaml -o mug.obj", 5, "mug.obj: is a file; choose a folder"),
    ("generate scene.yaml -o zips", 5, "zips: is not empty and does not contain a data set of blendgen"),
    ("generate scene.yaml -o out -n 0", 2, "0 is not in the range 1<=x<=100000000"),
    ("generate scene.yaml -o out -n 1e6", 2, "'1e6' is not a whole number"),
    ("generate scene.yaml -o out -n -5", 2, "-5 is not in the range 1<=x<=100000000"),
    ("generate scene.yaml -o out --index -5", 2, "expected ranges such as 0-9,12,20-40:5, got '-5'"),
    ("generate scene.yaml -o out --index 5-1", 2, "expected a range from low to high"),
    ("generate scene.yaml -o out --index 0..9", 2, "expected ranges such as 0-9,12,20-40:5, got '0..9'"),
    ("generate scene.yaml -o out --shard 1/0", 2, "expected 1 to 10000000 shards, got 0"),
    ("generate scene.yaml -o out --shard 3/3", 2, "expected 0 to 2 of 3 shards, got 3"),
    ("generate scene.yaml -o out --workers 0", 2, "expected auto or a number of at least 1, got '0'"),
    ("generate scene.yaml -o out --workers many", 2, "expected auto or a number of at least 1, got 'many'"),
    ("generate scene.yaml -o out --device gpu", 2, "unknown device; known: auto, cuda"),
    ("generate scene.yaml -o out --device cdua", 2, "unknown device; did you mean cuda?"),
    ("generate scene.yaml -o out --device cuda:x", 2, "expected a backend and numbers of cards such as"),
    ("generate scene.yaml -o out --progress lins", 2, "'none'; did you mean lines?"),
    ("generate scene.yaml -o out --executor rai", 2, "'slurm'; did you mean ray?"),
    ("generate scene.yaml -o out --executor ray --index 3", 2, "--index: does not go with --executor"),
    ("generate scene.yaml -o out --events empty", 2, "empty cannot be opened: Is a directory; choose"),
    ("generate scene.yaml -o out --events out/e", 2, "in the folder of the data set; choose a file outside"),
    ("generate scene.yaml -o out --events - --json", 2, "which --json has for itself; give a file instead"),
    ("generate scene.yaml -o .", 5, ".: is not empty and does not contain a data set of blendgen"),
    ("generate scene.yaml -o scene.yaml", 5, "scene.yaml: is a file; choose a folder"),
    ("generate empty -o out", 2, "empty: not a regular file, but a folder; give the YAML file of a scene"),
    ("generate - -o out", 2, "a spec is not read from stdin"),
    ("generate scene.yaml -o out --imges 5", 2, "option '--imges'. Did you mean '--images'?"),
    ("generate scene.yaml -o out --time-limit 3hours", 2, "such as 30s, 5m, 3h"),
    ("genrate scene.yaml -o out", 2, "there is no command 'genrate'; did you mean generate?"),
    ("export absent coco dest", 5, "(dataset.json is missing); give the OUT of `blendgen generate`"),
    ("export out --format coco dest", 2, "option '--format'. FORMAT is an argument: give its value alone."),
    ("export out", 2, "Missing argument 'FORMAT'. Give one of bop, coco,"),
    ("export out cocoo dest", 2, "'cocoo' is not an export format; did you mean coco?"),
    ("export out COCO dest", 2, "'COCO' is not an export format; did you mean coco?"),
    ("export out coco", 2, "Missing argument 'DEST'"),
    ("export out coco dest --link hrad", 2, "'symlink'; did you mean hard?"),
    ("export out yolo dest --task detection", 2, "is not one of 'detect', 'segment', 'obb', 'pose', 'classi"),
    ("verify scene.yaml", 5, "is not a folder, or does not exist; give the OUT of `blendgen generate`"),
    ("diff out", 2, "Missing argument 'B'"),
    ("subset zips --where label=mug -o sub", 2, "invalid syntax; compare with ==, combine with and, or, not"),
    ("mix zips photos -o m --ratio 5/1", 2, "expected a ratio such as 5:1, got '5/1'"),
    ("report zips", 5, "(dataset.json is missing); give the OUT of `blendgen generate`"),
    ("farm slurm scene.yaml -o out --shards 0", 2, "0 is not in the range x>=1"),
    ("farm slrum scene.yaml", 2, "there is no command 'slrum'; did you mean slurm?"),
    ("doctor now", 2, "Got unexpected extra argument (now)"),
    ("models absent", 2, "Path 'absent' does not exist"),
    ("models empty", 3, "empty: no model in this folder; expected files (.glb"),
    ("models mug.obj --sheet empty", 2, "ends in .png, .jpg, .jpeg or .webp"),
    ("models empty --init", 2, "a sidecar is made for one model file, got empty"),
    ("models mug.obj --unit inch", 2, "'ft'; did you mean in?"),
    ("models mug.obj --unit inches", 2, "is not one of 'm', 'cm', 'mm', 'in', 'ft'"),
    ("preview scene.yaml -o sheet.pdf", 2, "ends in .png, .jpg, .jpeg or .webp"),
    ("preview scene.yaml -o photo.jpg", 5, "photo.jpg: exists and was not written by blendgen"),
    ("preview scene.yaml -n 0", 2, "0 is not in the range 1<=x<=400"),
    ("preview scene.yaml --vary camera.elevaton_deg", 2, "did you mean camera.elevation_deg?"),
    ("preview scene.yaml --vary nonsense", 2, "does not vary in this spec: it is constant"),
    ("preview scene.yaml --vary camera --grid", 2, "leave out one of them"),
    ("smoke scene.yaml --budget forever", 2, "expected a duration of at least 1s, such as 30s"),
    ("smoke scene.yaml --golden scene.yaml", 5, "scene.yaml: is a file; give the folder of the golden files"),
    ("smoke scene.yaml --golden g --output g", 2, "overlaps the folder of the golden files, g; choose"),
    ("smoke scene.yaml --golden g/h --output g", 2, "overlaps the folder of the golden files, g/h; choose"),
    ("smoke scene.yaml --golden g --junit g/x.xml", 2, "lies among the golden files; write it elsewhere"),
    ("smoke scene.yaml --golden empty --output mug.obj", 5, "mug.obj: is a file; choose a folder"),
    ("farm slurm scene.yaml -o out --shards 2 --memory lots", 2, "with a unit, such as 8G, got 'lots'"),
    ("farm slurm scene.yaml -o out --shards 2 --gpus 1", 2, "name the device that all shards render on"),
    ("farm kubernetes scene.yaml -o out --shards 2 --image x", 2, "needed for a data set in a folder"),
    ("sample scene.yaml --index two", 2, "'two' is not a whole number"),
    ("completion bsh", 2, "'fish'; did you mean bash?"),
    ("completion powershell", 2, "is not one of 'bash', 'zsh', 'fish'"),
]  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hurry")
    (folder / "empty").mkdir()
    (folder / "zips").mkdir()
    (folder / "zips" / "models.zip").write_bytes(b"PK\3\4")
    (folder / "scene.yaml").write_text(SPEC)
    for name, content in SPECS.items():
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def here(place, monkeypatch):
    monkeypatch.chdir(place)
    monkeypatch.setattr(multiprocessing.get_context("spawn"), "Process", None)
    monkeypatch.setattr(early_worker, "start_early_worker", lambda: nullcontext(early_worker.EarlyWorker()))
    return place


def refused(place, words: list[str], code: int, message: str) -> None:
    before = files(place)
    done = blendgen(*words)
    assert (done.returncode, done.stdout) == (code, "")
    assert message in done.stderr and "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith(("blendgen:", "Error:"))]
    assert len(lines) == 1
    assert files(place) == before


@pytest.mark.parametrize(("call", "code", "message"), CALLS, ids=[call for call, _, _ in CALLS])
def test_a_wrong_command_line_is_answered_with_a_way_out(here, call, code, message):
    refused(here, call.split(), code, message)


def test_a_gpu_that_is_not_there_is_answered_with_what_is(here, monkeypatch):
    def devices_for(request):
        return choose_devices(request, [])

    monkeypatch.setattr(workers_run, "devices_for", devices_for)
    call = ["generate", "scene.yaml", "-o", "out", "--device", "cuda"]
    refused(here, call, 4, "--device: this machine has no cuda; available: cpu")


def test_a_file_that_may_not_be_read_is_named(here, monkeypatch):
    real = os.open

    def forbidden(path, *arguments, **options):
        if str(path).endswith("scene.yaml"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return real(path, *arguments, **options)

    monkeypatch.setattr(os, "open", forbidden)
    refused(here, ["check", "scene.yaml"], 2, "scene.yaml: Permission denied")


@pytest.mark.parametrize(("line", "message"), LINES, ids=[line for line, _ in LINES])
def test_a_wrong_line_of_a_spec_is_answered_with_a_way_out(here, tmp_path, line, message):
    spec = tmp_path / "wrong.yaml"
    spec.write_text(f"{SPEC}{line}\n")
    refused(here, ["check", str(spec)], 3, message)


@pytest.mark.parametrize(("folder", "message"), FOLDERS, ids=[folder for folder, _ in FOLDERS])
def test_a_wrong_folder_of_models_is_answered_with_a_way_out(here, folder, message):
    setting = f"products=[{{directory: '{folder}'}}]"
    refused(here, ["check", "scene.yaml", "--set", setting], 3, message)
