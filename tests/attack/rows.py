"""Rows: manifests and records with paths to other places, wrong values or invalid content."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from tests.attack import bombs
from tests.attack.case import Case, Command, Place, harmless, refused
from tests.attack.stock import (
    change_row,
    fake_set,
    fifo,
    link,
    photos,
    read_rows,
    real_set,
    write_rows,
)

FORMATS = ("imagefolder", "coco", "yolo", "voc", "webdataset", "parquet", "hf", "croissant", "csv", "bop")
_FEW = ("coco", "parquet", "csv")
_WITH = {"parquet": ("--include", "mask,depth"), "yolo": ("--task", "segment")}
_WITH_MASKS = ("coco", "yolo", "parquet", "bop", "webdataset")
_MORE = {"webdataset": ("--include", "mask,depth"), **_WITH}


def cases() -> Iterator[Case]:
    yield from _paths()
    yield from _names()
    yield from _files()
    yield from _pictures()
    yield from _lines()
    yield from _records()
    yield from _resumed()


def _exports(place: Place, data: Path, formats=FORMATS, more=(), make=refused, **limits) -> list[Command]:
    formats = formats[:2] if place.short else formats
    return [
        make("export", data, name, place.out / name, *(_MORE.get(name, ()) if more else ()), **limits)
        for name in formats
    ]


def _all(place: Place, data: Path, formats=FORMATS, make=refused) -> list[Command]:
    mixed = make("mix", data, photos(place), "-o", place.out / "mixed")
    chosen = make("subset", data, "--where", "index >= 0", "-o", place.out / "subset")
    merged = harmless("merge", data, "-o", place.out / "merged")
    watched = harmless("status", data)
    return [
        *_exports(place, data, formats, make=make),
        mixed,
        chosen,
        merged,
        watched,
        refused("verify", data),
    ]


# ---- paths in rows

_PATHS: dict[str, Callable[[Place], str]] = {
    "up": lambda place: "../../secret/secret.png",
    "up within": lambda place: "images/../../../secret/secret.png",
    "absolute": lambda place: f"{place.secret}/secret.png",
    "NUL": lambda place: "images/train/cup/0\0.png",
    "newline": lambda place: "images/train/cup/0\n.png",
    "backslash": lambda place: "..\\..\\secret\\secret.png",
    "drive": lambda place: "C:/secret.png",
    "file URL": lambda place: f"file://{place.secret}/secret.png",
    "percent": lambda place: "..%2f..%2fsecret%2fsecret.png",
    "the manifest": lambda place: "manifest.jsonl",
    "the record": lambda place: "dataset.json",
    "a folder": lambda place: "images",
    "nothing": lambda place: "",
    "a dot": lambda place: ".",
    "too long": lambda place: "images/" + "a" * 5000 + ".png",
    "a lone surrogate": lambda place: "images/\ud800.png",
}


def _paths() -> Iterator[Case]:
    for name, path in _PATHS.items():
        short = name == "up"
        yield Case(f"rows: file_name is {name}", partial(_with_path, path, "file_name"), short)
    for column in ("mask_file_name", "depth_file_name"):
        for name in ("up", "absolute", "NUL", "the manifest", "a folder"):
            make = partial(_with_path, _PATHS[name], column)
            yield Case(f"rows: {column} is {name}", make, (column, name) == ("mask_file_name", "up"))
    for suffix in ("svg", "html", "pkl", "php"):
        yield Case(f"rows: an image is .{suffix}", partial(_with_suffix, suffix))


def _with_path(path: Callable[[Place], str], column: str, place: Place) -> list[Command]:
    data = fake_set(place)
    change_row(data, **{column: path(place)})
    if column == "file_name":
        return _all(place, data)
    formats = _WITH_MASKS if column == "mask_file_name" else ("parquet", "webdataset", "bop")
    return [*_exports(place, data, formats, more=True), refused("verify", data)]


def _with_suffix(suffix: str, place: Place) -> list[Command]:
    data = fake_set(place)
    name = f"images/train/cup/000000.{suffix}"
    (data / name).write_text("<svg onload='alert(1)'/>")
    change_row(data, file_name=name)
    return _all(place, data, ("imagefolder", "coco", "webdataset", "hf"))


# ---- names in rows

_NAMES = {
    "up": "../../../victim",
    "up once": "..",
    "a dot": ".",
    "nothing": "",
    "a blank": "  ",
    "NUL": "cup\0",
    "newline": "cup\nmug",
    "backslash": "..\\victim",
    "bidi": "cup\u202egnp",
    "C1": "cup\u009b31m",
    "escape": "cup\x1b[2J",
    "a lone surrogate": "cup\ud800",
    "too long": "a" * 300,
    "unknown": "teapot",
}


def _names() -> Iterator[Case]:
    for column in ("label", "split"):
        for name, text in _NAMES.items():
            if column == "split" and name == "unknown":
                continue
            yield Case(
                f"rows: {column} is {name}",
                partial(_with_name, column, text),
                (column, name) == ("label", "up"),
            )
        yield Case(f"rows: {column} is absolute", partial(_with_name, column, None))


def _with_name(column: str, text: str | None, place: Place) -> list[Command]:
    """Also with the same class in dataset.json, so that the row matches it."""
    data = fake_set(place)
    text = str(place.victim) if text is None else text
    change_row(data, **{column: text})
    commands = _all(place, data, ("imagefolder", "yolo", "voc", "webdataset", "hf", "bop"))
    if column == "label" and text != "teapot":
        agreed = place.given / "agreed"
        shutil.copytree(data, agreed)
        _change_record(agreed, classes=[text, "mug"])
        rows = read_rows(agreed)
        for row in rows:
            row["label"] = text if row["label_id"] == 0 else row["label"]
            row["objects"]["category"] = [text if n == "cup" else n for n in row["objects"]["category"]]
        write_rows(agreed, rows)
        commands += [
            refused("export", agreed, name, place.out / f"agreed-{name}")
            for name in ("imagefolder", "yolo", "voc", "croissant", "csv")
        ]
    return commands


# ---- files behind rows


def _files() -> Iterator[Case]:
    yield Case("files: an image is a link to a secret", _linked_image, True)
    yield Case("files: an image is a link to /etc/shadow", partial(_linked_image, target="/etc/shadow"))
    yield Case("files: an image is a link to /dev/zero", partial(_linked_image, target="/dev/zero"))
    yield Case("files: an image is a pipe", _pipe_image, True)
    yield Case("files: a mask is a pipe", _pipe_mask)
    yield Case("files: images is a link to another folder", _linked_folder)
    for name in ("manifest.jsonl", "dataset.json"):
        yield Case(f"files: {name} is a pipe", partial(_odd_file, name, "fifo"))
        yield Case(
            f"files: {name} is a link to /dev/zero",
            partial(_odd_file, name, "/dev/zero"),
            name == "dataset.json",
        )
        yield Case(f"files: {name} is a folder", partial(_odd_file, name, "folder"))
        yield Case(f"files: {name} is a link to a secret", partial(_odd_file, name, "secret"))


def _first_image(data: Path) -> Path:
    return data / read_rows(data)[0]["file_name"]


def _linked_image(place: Place, target: str | None = None) -> list[Command]:
    data = fake_set(place)
    link(_first_image(data), target or place.secret / "secret.png")
    return _all(place, data)


def _pipe_image(place: Place) -> list[Command]:
    data = fake_set(place)
    fifo(_first_image(data))
    return [*_all(place, data, ("imagefolder", "webdataset", "parquet", "bop")), _crops(place, data)]


def _crops(place: Place, data: Path, make=refused) -> Command:
    return make("export", data, "imagefolder", place.out / "crops", "--crops", "0.1")


def _pipe_mask(place: Place) -> list[Command]:
    data = fake_set(place)
    fifo(data / read_rows(data)[0]["mask_file_name"])
    return [*_exports(place, data, _WITH_MASKS, more=True), refused("verify", data)]


def _linked_folder(place: Place) -> list[Command]:
    data = fake_set(place)
    (data / "images").rename(place.secret / "images")
    link(data / "images", place.secret / "images")
    return _all(place, data)


def _odd_file(name: str, kind: str, place: Place) -> list[Command]:
    data = fake_set(place)
    path = data / name
    if kind == "fifo":
        fifo(path)
    elif kind == "folder":
        path.unlink()
        path.mkdir()
    elif kind == "secret":
        path.rename(place.secret / name)
        link(path, place.secret / name)
    else:
        link(path, kind)
    return [refused("export", data, "coco", place.out / "coco"), refused("verify", data)]


# ---- pictures behind rows


def _pictures() -> Iterator[Case]:
    yield Case(
        "pictures: an image of 20,000 x 20,000", partial(_picture, "file_name", bombs.png_bomb, 20_000), True
    )
    yield Case(
        "pictures: an image claims 60,000 x 60,000", partial(_picture, "file_name", bombs.png_claim, 60_000)
    )
    yield Case(
        "pictures: a mask of 20,000 x 20,000", partial(_picture, "mask_file_name", bombs.png_bomb, 20_000)
    )
    yield Case(
        "pictures: a depth map of 20,000 x 20,000",
        partial(_picture, "depth_file_name", bombs.png_bomb, 20_000),
    )
    yield Case("pictures: an image is cut off", _cut_picture)
    yield Case("pictures: a depth map of 10 bytes", partial(_exr, lambda: b"\x76\x2f\x31\x01\x02\0\0\0xx"))
    yield Case(
        "pictures: a depth map claims 1e9 pixels", partial(_exr, lambda: bombs.exr_claim(100_000, 10_000))
    )
    yield Case(
        "pictures: a depth map claims 2e9 x 2e9", partial(_exr, lambda: bombs.exr_claim(2**31 - 1, 2**31 - 1))
    )


def _picture(column: str, make: Callable[[int], bytes], side: int, place: Place) -> list[Command]:
    data = fake_set(place)
    (data / read_rows(data)[0][column]).write_bytes(make(side))
    commands = _exports(place, data, _WITH_MASKS, more=True, make=harmless)
    return [*commands, _crops(place, data, harmless), refused("verify", data)]


def _cut_picture(place: Place) -> list[Command]:
    data = fake_set(place)
    image = _first_image(data)
    image.write_bytes(image.read_bytes()[:80])
    return [
        *_exports(place, data, ("coco", "parquet"), make=harmless),
        _crops(place, data),
        refused("verify", data),
    ]


def _exr(content: Callable[[], bytes], place: Place) -> list[Command]:
    data = fake_set(place)
    (data / "depth/train/cup/000000.exr").write_bytes(content())
    change_row(data, depth_file_name="depth/train/cup/000000.exr")
    exports = _exports(place, data, ("bop", "webdataset", "parquet"), more=True, make=harmless)
    return [*exports, refused("verify", data)]


# ---- lines of a manifest


def _lines() -> Iterator[Case]:
    raw = {
        "100,000 brackets": bombs.deep(100_000),
        "100,000 objects": bombs.deep(100_000, '{"a":', "}").replace(":}", ":1}"),
        "null": "null",
        "a list": "[]",
        "a number": "7",
        "not JSON": "{'file_name': 1}",
        "an empty object": "{}",
        "a huge number alone": "9" * 10_000,
    }
    for name, text in raw.items():
        yield Case(f"lines: {name}", partial(_with_line, text.encode()), name == "100,000 brackets")
    yield Case("lines: not UTF-8", partial(_with_line, b"\xff\xfe{}"))
    yield Case("lines: a line of 300 MB", _long_line)
    yield Case("lines: brackets of 60 MB", _many_brackets)
    for name, (change, make) in _CHANGES.items():
        yield Case(f"lines: {name}", partial(_with_change, change, make), name == "NaN in a box")


def _with_line(line: bytes, place: Place) -> list[Command]:
    data = fake_set(place)
    manifest = data / "manifest.jsonl"
    first, *others = manifest.read_bytes().splitlines()
    manifest.write_bytes(b"\n".join([first, line, *others]) + b"\n")
    return [*_exports(place, data, _FEW), refused("verify", data)]


def _long_line(place: Place) -> list[Command]:
    data = fake_set(place)
    bombs.fill(data / "manifest.jsonl", "a" * 1000, 300, '{"file_name": "', '"}\n')
    return [*_exports(place, data, ("coco",)), refused("verify", data)]


def _many_brackets(place: Place) -> list[Command]:
    data = fake_set(place)
    bombs.fill(data / "manifest.jsonl", "[],", 60, "[", "0]\n")
    return [*_exports(place, data, ("coco",)), refused("verify", data)]


def _box(box: object) -> Callable[[dict], None]:
    return lambda row: row["objects"].update(bbox=[box, *row["objects"]["bbox"][1:]])


def _set(**columns) -> Callable[[dict], None]:
    return lambda row: row.update(columns)


def _objects(**columns) -> Callable[[dict], None]:
    return lambda row: row["objects"].update(columns)


def _without(name: str) -> Callable[[dict], None]:
    return lambda row: row.pop(name)


_CHANGES: dict[str, tuple[Callable[[dict], object], Callable[..., Command]]] = {
    "no file_name": (_without("file_name"), refused),
    "no label": (_without("label"), refused),
    "no objects": (_without("objects"), refused),
    "no camera": (_without("camera"), harmless),
    "no width": (_without("width"), refused),
    "label null": (_set(label=None), refused),
    "label a list": (_set(label=["cup"]), refused),
    "split null": (_set(split=None), refused),
    "split a number": (_set(split=5), refused),
    "objects null": (_set(objects=None), refused),
    "objects a list": (_set(objects=[{"bbox": [0, 0, 1, 1]}]), refused),
    "objects a text": (_set(objects="cup"), refused),
    "width a text": (_set(width="64"), refused),
    "width zero": (_set(width=0), refused),
    "width negative": (_set(width=-64), refused),
    "width huge": (_set(width=10**300), refused),
    "width infinite": (_set(width=float("inf")), refused),
    "label_id huge": (_set(label_id=10**40), refused),
    "label_id negative": (_set(label_id=-1), refused),
    "label_id past the classes": (_set(label_id=2), refused),
    "label_id true": (_set(label_id=True), refused),
    "index negative": (_set(index=-1), refused),
    "index huge": (_set(index=10**30), refused),
    "index a text": (_set(index="0/../../x"), refused),
    "index twice": (_set(index=1), refused),
    "shot_index null": (_set(shot_index=None), harmless),
    "camera a number": (_set(camera=5), harmless),
    "camera empty": (_set(camera={}), harmless),
    "camera of NaN": (_set(camera={"intrinsics": [[float("nan")] * 3] * 3, "world_to_camera": 1}), harmless),
    "NaN in a box": (_box([float("nan"), 0, 4, 4]), refused),
    "infinity in a box": (_box([0, 0, float("inf"), 4]), refused),
    "a box of text": (_box(["0", "0", "4", "4"]), refused),
    "a box of three": (_box([0, 0, 4]), refused),
    "a box null": (_box(None), refused),
    "a box negative": (_box([0, 0, -4, 4]), refused),
    "a box past the image": (_box([0, 0, 10**9, 10**9]), refused),
    "category unknown": (_objects(category=["teapot", "cup"]), refused),
    "category null": (_objects(category=None), refused),
    "category_id huge": (_objects(category_id=[10**30, 0]), refused),
    "columns of different length": (_objects(category_id=[0]), refused),
    "no bbox": (lambda row: row["objects"].pop("bbox"), refused),
    "poses null": (_objects(object_to_camera=None, object_to_world=None), harmless),
    "poses of text": (_objects(object_to_camera=["x", "y"]), harmless),
    "sha256 a list": (_set(sha256=[1]), harmless),
    "a column with a strange name": (
        _set(**{"../x\n": 1, "exploit_file_name": "../../secret/secret.png"}),
        harmless,
    ),
}


def _with_change(change, make, place: Place) -> list[Command]:
    data = fake_set(place)
    rows = read_rows(data)
    change(rows[0])
    write_rows(data, rows)
    return [*_exports(place, data, (*_FEW, "bop"), make=make), refused("verify", data)]


# ---- dataset.json


def _change_record(data: Path, **changes) -> None:
    record = json.loads((data / "dataset.json").read_text("utf-8"))
    (data / "dataset.json").write_text(json.dumps(record | changes), "utf-8")


def _records() -> Iterator[Case]:
    texts = {
        "100,000 brackets": bombs.deep(100_000),
        "null": "null",
        "a list": "[]",
        "empty": "",
        "an empty object": "{}",
        "classes of NaN": '{"name": "x", "digest": "a", "classes": [NaN], "images_per_split": {}}',
    }
    for name, text in texts.items():
        yield Case(f"record: {name}", partial(_with_record, text), name == "100,000 brackets")
    yield Case("record: 50 MB", _large_record)
    for name, changes in _RECORDS.items():
        yield Case(f"record: {name}", partial(_with_changed_record, changes), name == "a class is up")


_RECORDS: dict[str, dict] = {
    "no classes": {"classes": None},
    "classes a text": {"classes": "cupmug"},
    "classes numbers": {"classes": [1, 2]},
    "classes an object": {"classes": {"cup": 0, "mug": 1}},
    "one class too few": {"classes": ["cup"]},
    "a class twice": {"classes": ["cup", "cup"]},
    "a class is up": {"classes": ["../../../victim", "cup", "mug"]},
    "a class has a newline": {"classes": ["cup", "mug", "x\ny: !!python/object:os.system"]},
    "a class is a surrogate": {"classes": ["cup", "mug", "\ud800"]},
    "a name with escapes": {"name": "\x1b]0;owned\x07\u202e../../x"},
    "name a list": {"name": ["x"], "digest": {"a": 1}},
    "counts of text": {"images_per_split": {"train": "many"}},
    "counts of a strange split": {"images_per_split": {"../x": 4}},
    "keypoints a list": {"keypoints": [1, 2]},
    "keypoints of text": {"keypoints": {"cup": "abc"}},
    "symmetries of text": {"symmetries": {"cup": "abc"}},
}
_KEPT = ("a name with escapes", "name a list", "counts", "keypoints", "symmetries")


def _with_record(text: str, place: Place) -> list[Command]:
    data = fake_set(place)
    (data / "dataset.json").write_text(text)
    return [*_exports(place, data, _FEW), refused("verify", data)]


def _large_record(place: Place) -> list[Command]:
    data = fake_set(place)
    bombs.fill(data / "dataset.json", "[],", 50, '{"classes": ["cup", "mug"], "more": [', "0]}")
    return [*_exports(place, data, ("coco",), make=harmless), refused("verify", data)]


def _with_changed_record(changes: dict, place: Place) -> list[Command]:
    data = fake_set(place)
    _change_record(data, **changes)
    make = refused if "classes" in changes else harmless
    return [*_exports(place, data, ("yolo", "hf", "croissant", "bop"), make=make), refused("verify", data)]


# ---- a run that resumes from a manifest of somebody else


def _resumed() -> Iterator[Case]:
    for name in ("up", "absolute", "NUL", "the manifest", "a folder", "a lone surrogate"):
        make = partial(_resume, lambda place, path=_PATHS[name]: {"file_name": path(place)})
        yield Case(f"resume: file_name is {name}", make)
    for name in ("up", "newline", "escape"):
        yield Case(f"resume: label is {name}", partial(_resume, lambda _, text=_NAMES[name]: {"label": text}))
    changes = {
        "index huge": {"index": 10**30},
        "index a list": {"index": [0]},
        "shot a text": {"shot": "x"},
        "split up": {"split": "../../victim"},
    }
    for name, columns in changes.items():
        yield Case(f"resume: {name}", partial(_resume, lambda _, columns=columns: columns))
    yield Case("resume: 100,000 brackets", _resume_brackets)
    yield Case("resume: an image is a link to a secret", _resume_link, True)
    yield Case("resume: images is a link to a secret", _resume_linked_folder)
    yield Case("resume: the record is 100,000 brackets", _resume_record)
    yield Case("resume: the manifest is a link to a secret", partial(_resume_linked_file, "manifest.jsonl"))
    yield Case("resume: the log is a link to a secret", partial(_resume_linked_file, "blender.log"))
    yield Case("resume: the sheet is a link to a secret", partial(_resume_linked_file, "contact_sheet.jpg"))
    yield Case("resume: the lock is a link to a secret", partial(_resume_linked_file, ".lock"), True)


def _generate(place: Place, *more: str, make=harmless) -> Command:
    place.readable.append(place.out)
    spec = place.given / "spec.yaml"
    limits = {"memory_mb": 4000, "seconds": 90}
    return make("generate", spec, "-o", place.out / "set", "--workers", "1", *more, **limits)


def _resume(columns: Callable[[Place], dict], place: Place) -> list[Command]:
    data = real_set(place)
    change_row(data, **columns(place))
    return [refused("verify", data, memory_mb=2000), _generate(place), _generate(place, "--force")]


def _resume_brackets(place: Place) -> list[Command]:
    data = real_set(place)
    manifest = data / "manifest.jsonl"
    manifest.write_text(manifest.read_text("utf-8") + bombs.deep(100_000) + "\n", "utf-8")
    return [_generate(place)]


def _resume_link(place: Place) -> list[Command]:
    data = real_set(place)
    link(_first_image(data), place.secret / "secret.png")
    return [_generate(place), _generate(place, "--force")]


def _resume_linked_folder(place: Place) -> list[Command]:
    data = real_set(place)
    link(data / "images", place.victim)
    return [_generate(place), _generate(place, "--force")]


def _resume_record(place: Place) -> list[Command]:
    data = real_set(place)
    (data / "dataset.json").write_text(bombs.deep(100_000))
    return [_generate(place)]


def _resume_linked_file(name: str, place: Place) -> list[Command]:
    data = real_set(place)
    link(data / name, place.secret / "secret.txt")
    return [_generate(place), _generate(place, "-n", "5"), _generate(place, "--force")]
