"""Reports of data sets of the flat engine: their numbers, their files, and whose files they leave alone."""

import json
import re
import shutil
from itertools import pairwise

import pytest

from blendgen import api
from blendgen.dataset.layout import Layout
from blendgen.dataset.manifest import read_rows
from blendgen.errors import DatasetError, DiskUnavailable, UsageError
from blendgen.files.folder import Folder
from blendgen.reports import analysis, write
from blendgen.reports.analysis import Limits, Spread
from blendgen.reports.statement import alerts
from tests.farm.made import SPEC, content, make, make_shards, merged

HOSTILE = '<img src=x onerror=alert(1)></script><script>alert("2")</script> 🚲 مرحبا \'"&'
RUN = {"command": "blendgen generate a.yaml -o b", "seconds": 120.5, "made": 30}


@pytest.fixture(scope="module")
def data_set(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report") / "set"
    make(folder)
    return folder


@pytest.fixture(scope="module")
def reported(data_set, tmp_path_factory):
    """(the text of the page, report.json) of the data set."""
    page = api.report(data_set, tmp_path_factory.mktemp("page") / "page.html", run=RUN)
    return page.read_text(), json.loads(page.with_suffix(".json").read_text())


def copy_of(data_set, tmp_path):
    return shutil.copytree(data_set, tmp_path / "set")


def chunks_of(text):
    return {json.loads(name): json.loads(value) for name, value in
            re.findall(r'blendgenReport\.chunk\(("[^"]*"),(.*)\)(?:</script>|\n)', text)}  # fmt: skip


def test_counts_are_those_of_the_data_set(data_set, reported):
    own = reported[1]["data_sets"][0]
    record = json.loads(Layout(data_set).record.read_text())
    assert (own["images"], own["shots"]) == (record["images"], -(-record["images"] // 2))
    assert sum(one["images"] for one in own["images_per_class_and_split"]) == record["images"]
    assert own["failures"]["per_reason"] == record["images_failed_per_reason"]
    assert own["visible_objects"] == sum(map(sum, own["box_centers"])) == sum(own["visible_fraction"])
    assert own["quality"]["measured_images"] == record["images"] and own["quality"]["unreadable"] == []
    assert reported[1]["run"] == RUN


def test_each_sampled_value_is_counted_once_a_shot(reported):
    own = reported[1]["data_sets"][0]
    totals = {name: sum(one["counts"]) for name, one in own["parameters"].items()}
    assert totals["camera.elevation_deg"] == own["shots"] and totals["exposure.camera_ev"] == own["images"]
    assert totals["surface.wear"] == own["shots"] and "placement.yaw_deg" in own["parameters_without_values"]
    expected = own["parameters"]["camera.elevation_deg"]["expected"]
    assert sum(expected) == pytest.approx(own["shots"], abs=0.2)


def test_attempts_are_stated(data_set, reported):
    own = reported[1]["data_sets"][0]
    attempts = [row.shot_values["attempt"] for row in read_rows(Layout(data_set).manifest)][::2]
    assert own["resampled_shots"] == sum(attempt > 0 for attempt in attempts) > 0


def test_the_page_loads_nothing(reported):
    text = reported[0]
    assert not re.search(r'<(script|img|link|iframe)[^>]*(src|href)="?(https?:)?//', text)
    assert "fetch(" not in "".join(re.findall(r"/\* The data of the page.*", text, re.S)[-1:])
    assert len(text) < write.SINGLE_FILE_BYTES


def test_records_and_thumbnails_are_in_the_page(reported):
    chunks = chunks_of(reported[0])
    own = reported[1]["data_sets"][0]
    assert {"a/rows-0", "a/records-0", "a/sheet-0"} <= chunks.keys()
    assert len(chunks["a/rows-0"]["index"]) == own["images"]
    assert chunks["a/rows-0"]["thumbnail"] == list(range(own["images"]))


def renamed(folder, name):
    """Give the class, the product and the colourway of a data set another name, as a stranger's may have."""
    layout = Layout(folder)
    record = json.loads(layout.record.read_text())
    record |= {"name": name, "classes": [name if one == "box" else one for one in record["classes"]]}
    layout.record.write_text(json.dumps(record))
    rows = [json.loads(line) for line in layout.manifest.read_text().splitlines()]
    for row in rows:
        row["label"] = name if row["label"] == "box" else row["label"]
        for column in ("category", "product", "colorway"):
            values = row["objects"][column]
            row["objects"][column] = [name if one in ("box", "c0") else one for one in values]
    layout.manifest.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def test_names_cannot_leave_the_data_of_the_page(data_set, tmp_path):
    folder = copy_of(data_set, tmp_path)
    renamed(folder, HOSTILE.replace("/", "|"))
    record = json.loads(Layout(folder).record.read_text())
    Layout(folder).record.write_text(json.dumps(record | {"name": HOSTILE}))
    text = api.report(folder, run=RUN | {"command": HOSTILE}).read_text()
    assert "<img src=x" not in text and "<script>alert" not in text
    assert text.count("<script") == text.count("</script>") == len(chunks_of(text)) + 14
    assert "مرحبا" in text and "🚲" in text


def test_many_images_go_into_scripts_next_to_the_page(data_set, tmp_path, monkeypatch):
    folder = copy_of(data_set, tmp_path)
    small = api.report(folder).stat().st_size
    monkeypatch.setattr(write, "SINGLE_FILE_IMAGES", 5)
    page = api.report(folder)
    [scripts] = (folder / "report_files").iterdir()
    names = {path.name for path in scripts.iterdir()}
    assert page.stat().st_size < small and {"a-rows-0.js", "a-records-0.js", "a-sheet-0.js"} == names
    assert chunks_of((scripts / "a-rows-0.js").read_text())["a/rows-0"]["index"]
    assert f'"report_files/{scripts.name}"' in page.read_text()
    monkeypatch.undo()
    api.report(folder)
    assert not (folder / "report_files").exists() and not (folder / ".partial").exists()


def test_a_page_that_would_be_too_large_is_split(data_set, tmp_path, monkeypatch):
    monkeypatch.setattr(write, "SINGLE_FILE_BYTES", 1)
    page = api.report(data_set, tmp_path / "r.html")
    assert chunks_of(page.read_text()) == {} and list((tmp_path / "r_files").glob("*/a-rows-0.js"))


def test_what_another_run_is_writing_stays(data_set, tmp_path):
    folder = copy_of(data_set, tmp_path)
    half = folder / ".partial/4711-0"
    half.parent.mkdir()
    half.write_bytes(b"half an image")
    api.report(folder)
    assert half.exists() and not (folder / ".blendgen-partial").exists()


@pytest.mark.parametrize("name", ["report.html", "report.json", "report_files/notes.txt"])
def test_files_of_somebody_else_stay(data_set, tmp_path, name):
    folder = copy_of(data_set, tmp_path)
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text("mine")
    with pytest.raises(DatasetError, match=re.escape(f"{folder / name}: exists and is not part of a report")):
        api.report(folder)
    assert (folder / name).read_text() == "mine"


def test_a_report_is_not_part_of_its_data_set(data_set, tmp_path, monkeypatch):
    folder = copy_of(data_set, tmp_path)
    monkeypatch.setattr(write, "SINGLE_FILE_IMAGES", 5)
    before = content(folder)
    api.report(folder)
    assert api.verify(folder) == [] and api.diff(data_set, folder).equal
    made = make(folder)
    assert {name: data for name, data in content(folder).items() if not name.startswith("report")} == before
    assert (made.root / "report.html").exists()


def test_shards_with_reports_are_removed_after_a_merge(tmp_path):
    shards = make_shards(tmp_path, 2, spec=SPEC.model_copy(update={"images": 4}))
    api.report(shards[0])
    merged(tmp_path, link="move")
    assert not (tmp_path / "shards").exists() and not (tmp_path / "report.html").exists()


def test_two_data_sets_in_one_page(data_set, tmp_path):
    other = tmp_path / "other"
    make(other, spec=SPEC.model_copy(update={"images": 4, "seed": 9}))
    page = api.report(data_set, tmp_path / "both.html", compare=other)
    results = json.loads(page.with_suffix(".json").read_text())["data_sets"]
    assert [one["seed"] for one in results] == [3, 9]
    assert {"a/rows-0", "b/rows-0"} <= chunks_of(page.read_text()).keys()


def test_an_image_that_is_missing_is_listed(data_set, tmp_path):
    folder = copy_of(data_set, tmp_path)
    next((folder / "images").rglob("*.png")).unlink()
    quality = json.loads(api.report(folder).with_suffix(".json").read_text())["data_sets"][0]["quality"]
    assert len(quality["unreadable"]) == 1 and "cannot be read" in quality["unreadable"][0]["message"]


def test_what_is_listed_in_part_is_counted_whole(data_set, tmp_path, monkeypatch):
    monkeypatch.setattr(analysis, "_MOST_LISTED", 2)
    folder = copy_of(data_set, tmp_path)
    images = [*(folder / "images").rglob("*.png")]
    for image in images[:4]:
        image.unlink()
    result = json.loads(api.report(folder).with_suffix(".json").read_text())["data_sets"][0]
    assert len(result["quality"]["unreadable"]) == 2 and result["quality"]["counts"]["unreadable"] == 4
    many = result | {"left_out": [f"model {number}" for number in range(8)]}
    lines = alerts(many)
    assert any(line.startswith(f"4 of {len(images)} opened images cannot be read") for line in lines)
    assert lines[-2:] == ["Left out: model 4", "3 more left out, named in dataset.json."]


def test_a_spec_that_cannot_be_read_leaves_the_rest(data_set, tmp_path):
    folder = copy_of(data_set, tmp_path)
    Layout(folder).spec.write_text("blendgen: 7\n")
    own = json.loads(api.report(folder).with_suffix(".json").read_text())["data_sets"][0]
    assert own["spec_fault"] and own["parameters"] == {} and own["images"] > 0


@pytest.mark.parametrize(
    "values", [{}, {"images": 3}, None, [1], "x", {"attempt": True, "lamps": 3, "surface": []}]
)
def test_rows_of_a_stranger_may_lack_values(data_set, tmp_path, values):
    folder = copy_of(data_set, tmp_path)
    rows = [json.loads(line) for line in Layout(folder).manifest.read_text().splitlines()]
    for row in rows[:4]:
        row["shot"] = (
            values if isinstance(values, dict) else {"surface": values, "lamps": [values], "camera": values}
        )
        row["exposure"] = {"lamp_ev": values, "camera_ev": float("1e400") if values is None else 1}
    text = "".join(json.dumps(row) + "\n" for row in rows).replace("Infinity", "1e999")
    Layout(folder).manifest.write_text(text)
    assert api.report(folder).exists()


def test_the_run_of_an_earlier_report_is_kept(data_set, tmp_path):
    page = api.report(data_set, tmp_path / "a.html", run=RUN)
    again = api.report(data_set, page)
    assert json.loads(again.with_suffix(".json").read_text())["run"] == RUN
    assert "blendgen generate a.yaml -o b" in again.read_text()


@pytest.mark.parametrize("run", [{}, RUN | {"seconds": -1}, RUN | {"made": "many"}])
def test_a_run_that_cannot_be(data_set, tmp_path, run):
    with pytest.raises(UsageError, match="run: "):
        api.report(data_set, tmp_path / "a.html", run=run)


def stopped_at(moment, error, monkeypatch):
    """Options of a report that ends with an error: at its last row, or at a file, 1 for the first one."""
    if moment == "row":
        return {"progress": lambda finished, total: raised(error) if finished == total else None}
    names, write_file = [], Folder.atomic_file

    def atomic_file(folder, name):
        names.append(name)
        return raised(error) if len(names) == moment else write_file(folder, name)

    monkeypatch.setattr(Folder, "atomic_file", atomic_file)
    return {}


def raised(error):
    raise error


@pytest.mark.parametrize("has_page", [False, True])
@pytest.mark.parametrize(
    ("moment", "error"),
    [("row", KeyboardInterrupt()), ("row", MemoryError()), (2, DiskUnavailable("full"))]
    + [(5, KeyboardInterrupt()), (6, DiskUnavailable("full"))],
)
def test_a_report_that_is_stopped_leaves_what_was_there(
    data_set, tmp_path, monkeypatch, moment, error, has_page
):
    monkeypatch.setattr(write, "SINGLE_FILE_IMAGES", 5)
    monkeypatch.setattr("blendgen.reports.gallery.ROWS", 10)
    if has_page:
        api.report(data_set, tmp_path / "a.html")
    before = content(tmp_path)
    options = stopped_at(moment, error, monkeypatch)
    with pytest.raises(type(error)):
        api.report(data_set, tmp_path / "a.html", **options)
    assert content(tmp_path) == before and (tmp_path / "a_files").exists() == has_page
    assert not (tmp_path / ".blendgen-partial").exists()


def test_a_page_that_was_finished_keeps_its_scripts(data_set, tmp_path, monkeypatch):
    """A signal while the scripts of the earlier page are removed."""
    monkeypatch.setattr(write, "SINGLE_FILE_IMAGES", 5)
    api.report(data_set, tmp_path / "a.html")
    remove = Folder.remove
    monkeypatch.setattr(Folder, "remove", lambda *_: raised(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        api.report(data_set, tmp_path / "a.html")
    monkeypatch.setattr(Folder, "remove", remove)
    [folder] = re.findall(r'"files_folder":"([^"]+)"', (tmp_path / "a.html").read_text())
    assert (tmp_path / folder / "a-rows-0.js").exists()
    api.report(data_set, tmp_path / "a.html")
    assert len(list((tmp_path / "a_files").iterdir())) == 1


def test_two_reports_at_once_do_not_take_scripts_from_each_other(data_set, tmp_path, monkeypatch):
    monkeypatch.setattr(write, "SINGLE_FILE_IMAGES", 5)
    others = []

    def both(finished, total):
        if finished == total and not others:
            others.append(None)
            for path in (tmp_path / "a_files").rglob("*.js"):
                path.unlink()

    monkeypatch.setattr("blendgen.reports.gallery.ROWS", 10)
    with pytest.raises(DatasetError, match="was removed while the report was written"):
        api.report(data_set, tmp_path / "a.html", progress=both)
    assert content(tmp_path) == {}


def test_a_page_stays_where_there_is_no_data_set(data_set, tmp_path):
    page = api.report(data_set, tmp_path / "a.html")
    with pytest.raises(DatasetError, match="does not contain a data set"):
        api.report(tmp_path / "other", page)
    assert page.exists()


def test_fewer_images_are_opened_on_request(data_set, tmp_path):
    page = api.report(data_set, tmp_path / "a.html", measured=3)
    own = json.loads(page.with_suffix(".json").read_text())["data_sets"][0]
    assert own["quality"]["measured_images"] == 3 and own["gallery_images"] == own["images"]
    with pytest.raises(UsageError, match="measured: expected a number of images"):
        api.report(data_set, page, measured=-1)


def test_the_page_needs_its_ending(data_set, tmp_path):
    with pytest.raises(UsageError, match=r"ends with \.html"):
        api.report(data_set, tmp_path / "report.txt")


def test_a_folder_without_a_data_set(tmp_path):
    with pytest.raises(DatasetError, match="does not contain a data set"):
        api.report(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("total", "limit"), [(10, 3), (100, 100), (7, 20), (100_000, 999)])
def test_a_spread_has_so_many_positions_evenly(total, limit):
    chosen = [number for number in range(total) if number in Spread(total, limit)]
    gaps = {b - a for a, b in pairwise(chosen)}
    assert len(chosen) == min(total, limit) and max(gaps) - min(gaps) <= 1 and chosen[0] == 0


def test_images_beyond_the_limits_have_no_thumbnail(data_set, tmp_path):
    from blendgen.reports.analysis import analysed

    chunks = {}
    result, _ = analysed(
        data_set, chunks.__setitem__, Limits(measured=4, gallery=10), lambda n: None, lambda n: None
    )
    assert result["quality"]["measured_images"] == 4 and result["gallery_images"] == 10
    assert sum(number >= 0 for number in chunks["rows-0"]["thumbnail"]) == 4


@pytest.mark.parametrize(("container", "has_image_files"), [("files", True), ("webdataset", False)])
def test_images_in_large_files_are_read_too(container, has_image_files, tmp_path):
    output = SPEC.output.model_copy(update={"container": container})
    make(tmp_path / "set", spec=SPEC.model_copy(update={"images": 4, "output": output}))
    own = json.loads(api.report(tmp_path / "set").with_suffix(".json").read_text())["data_sets"][0]
    assert (
        own["has_image_files"] == has_image_files and own["quality"]["measured_images"] == own["images"] > 0
    )
