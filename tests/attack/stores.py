"""Stores: data sets in an object store, whose keys, index and contents a stranger has made."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from blendgen.cloud.index import Entry, Head, Index
from blendgen.dataset.layout import OBJECTS_NAME, Layout
from blendgen.dataset.ownership import our_files
from blendgen.dataset.store import read_record
from tests.attack import bombs
from tests.attack.case import Case, Command, Place, harmless, refused, survives
from tests.attack.stock import write_spec
from tests.attack.store_server import BUCKET, Behaviour, Stored, StoreServer

_URL = f"s3://{BUCKET}/set"
_INDEX = f"set/{OBJECTS_NAME}"
_SHARD = "shards/00000-of-00001"
_SPARSE = 10**15
Objects = dict[str, Stored]
Change = Callable[[Objects], object]


def cases() -> Iterator[Case]:
    yield Case("store: as it is", partial(_tried, lambda objects: None, True))
    for name, change in _CHANGES.items():
        yield Case(f"store: {name}", partial(_tried, change, False), name == "a name leads out")
    for name, behaviour in _BEHAVIOURS.items():
        yield Case(f"store: {name}", partial(_served, behaviour))


def _tried(change: Change, is_whole: bool, place: Place) -> list[Command]:
    objects = _data_set(place.stock / "set", "set")
    change(objects)
    if place.short:
        url = _server(place, objects, Behaviour())
        return [
            _command(place, url, "export", _URL, "coco", place.out / "coco", "--staging", place.out / "s")
        ]
    shards = _data_set(place.stock / "set", f"all/{_SHARD}")
    moved = {f"set/{key.removeprefix(f'all/{_SHARD}/')}": stored for key, stored in shards.items()}
    change(moved)
    for key, stored in moved.items():
        objects[key.replace("set/", f"all/{_SHARD}/", 1)] = stored
    kind = survives if is_whole else harmless
    makes_images = {"kind": kind, "codes": (1, 2, 3, 4, 5, 7, 75), "memory_mb": 3000}
    spec, resumed, repaired, variables = (
        write_spec(place), *(_server(place, dict(objects), Behaviour()) for _ in range(3))
    )  # fmt: skip
    return [
        _command(place, resumed, "generate", spec, "-o", _URL, "--workers", 1, **makes_images),
        _command(place, repaired, "verify", _URL, "--repair", **makes_images),
        _command(place, variables, "status", _URL, kind=kind),
        _command(place, variables, "export", _URL, "coco", place.out / "coco", "--staging", place.out / "s"),
        _command(place, variables, "verify", _URL, kind=kind),
        _command(place, variables, "merge", "-o", f"s3://{BUCKET}/all", "--remove-shards", kind=kind),
    ]


def _served(behaviour: Behaviour, place: Place) -> list[Command]:
    variables = _server(place, _data_set(place.stock / "set", "set"), behaviour)
    more = {"codes": (5, 75), "seconds": 200, "says": r"s3://bucket/set"}
    return [
        _command(place, variables, "status", _URL, **more),
        _command(place, variables, "generate", write_spec(place), "-o", _URL, kind=refused, **more),
        _command(place, variables, "verify", _URL, "--repair", **more),
    ]


def _command(place: Place, variables: tuple, *args: object, kind=harmless, **more) -> Command:
    return kind(*args, **{"codes": (1, 3, 5, 75), "variables": variables, **more})


def _server(place: Place, objects: Objects, behaviour: Behaviour) -> tuple[tuple[str, str], ...]:
    """Starts a server; returns the variables that lead to it."""
    server = StoreServer(objects, behaviour)
    place.at_end.append(server.stop)
    place.ports.append(server.port)
    place.readable.append(place.stock / "given")  # a repair reads the models of the spec
    variables = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.port}", "AWS_ACCESS_KEY_ID": "somebody",
        "AWS_SECRET_ACCESS_KEY": place.token, "AWS_DEFAULT_REGION": "us-east-1", "AWS_MAX_ATTEMPTS": "1",
    }  # fmt: skip
    return tuple(variables.items())


def _data_set(folder: Path, prefix: str) -> Objects:
    """The objects of the data set of the stock."""
    layout, record = Layout(folder), read_record(Layout(folder))
    contents = {
        name: (folder / name).read_bytes() for name in our_files(layout, record)[0] if name != ".lock"
    }
    known = {key: record[key] for key in ("digest", "blender_version", "pixels_version")}
    head = Head(is_complete=True, is_whole=True, wanted=4, spec_images=4, images=4, record=known)
    entries = {name: _entry(name, data) for name, data in contents.items()}
    objects = {f"{prefix}/{name}": Stored(data) for name, data in contents.items()}
    return objects | {f"{prefix}/{OBJECTS_NAME}": Stored(Index(head, entries).to_bytes())}


def _entry(name: str, data: bytes) -> Entry:
    return Entry(name, len(data), hashlib.sha256(data).hexdigest(), "0")


# ---- what is in the store


def _with_index(change: Callable[[list[dict]], object]) -> Change:
    """Changes lines of the index; their number stays right."""

    def changed(objects: Objects) -> None:
        lines = [json.loads(line) for line in objects[_INDEX].data.splitlines()]
        change(lines)
        lines[0]["objects"] = len(lines) - 1
        objects[_INDEX] = Stored("".join(f"{json.dumps(line)}\n" for line in lines).encode())

    return changed


def _of_image(lines: list[dict]) -> dict:
    return next(line for line in lines[1:] if line["name"].endswith(".png"))


def _image_key(objects: Objects) -> str:
    return next(key for key in sorted(objects) if key.endswith(".png"))


def _renamed(name: str) -> Change:
    """An image has this name in the index, and there is such an object."""

    def change(objects: Objects) -> None:
        data = objects[_image_key(objects)]
        _with_index(lambda lines: _of_image(lines).update(name=name))(objects)
        objects[f"set/{name}"] = objects[name] = data

    return change


def _image(make: Callable[[bytes], Stored]) -> Change:
    """The object of an image is another one."""

    def change(objects: Objects) -> None:
        key = _image_key(objects)
        objects[key] = make(objects[key].data)

    return change


def _stated(make: Callable[[bytes], bytes], name: str = ".png") -> Change:
    """A file has another content, and its index says so."""

    def change(objects: Objects) -> None:
        key = next(key for key in sorted(objects) if key.endswith(name))
        data = make(objects[key].data)
        objects[key] = Stored(data)
        entry = {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        leaf = key.removeprefix("set/")
        _with_index(lambda lines: next(one for one in lines[1:] if one["name"] == leaf).update(entry))(
            objects
        )

    return change


def _row(**columns) -> Change:
    def change(data: bytes) -> bytes:
        first, *rest = data.splitlines(keepends=True)
        return json.dumps(json.loads(first) | columns).encode() + b"\n" + b"".join(rest)

    return _stated(change, "manifest.jsonl")


def _below(name: str) -> dict[str, str]:
    return {"name": f"{name}/x"}


def _also(key: str, data: bytes = b"x") -> Change:
    return lambda objects: objects.update({key: Stored(data)})


_CHANGES: dict[str, Change] = {
    "a name leads out": _renamed("../../victim/secret.png"),
    "a name is absolute": _renamed("/etc/blendgen.png"),
    "a name is in another bucket": _renamed("s3://other/secret.png"),
    "a name has escapes": _renamed("images/\x1b[2J\u202e.png"),
    "a name has a newline": _renamed("images/a\nb.png"),
    "a name is the lock": _renamed(".lock"),
    "a name is the index": _renamed(OBJECTS_NAME),
    "a name is below another": _with_index(lambda lines: lines.append(lines[1] | _below(lines[1]["name"]))),
    "a name is a shard": _renamed("shards/00000-of-00001/images/x.png"),
    "keys lead out": _also("set/../../etc/passwd"),
    "keys have escapes": _also("set/\x1b[2J\u202e"),
    "keys are empty": _also("set//"),
    "a shard has escapes": _also("set/shards/\x1b[2J-of-\u202e/x"),
    "a shard has a huge number": _also(f"set/shards/{'9' * 200}-of-{'9' * 50}/x"),
    "20,000 shards": lambda objects: objects.update(
        {f"set/shards/{number:05d}-of-20000/x": Stored(b"") for number in range(20_000)}
    ),
    "the index claims 1 PB": lambda objects: objects.update({_INDEX: Stored(objects[_INDEX].data, _SPARSE)}),
    "the index is deep": lambda objects: objects.update({_INDEX: Stored(bombs.deep(100_000).encode())}),
    "the index is one line of 300 MB": lambda objects: objects.update({_INDEX: Stored(b"[" * 300_000_000)}),
    "the index has 10**15 images": _with_index(lambda lines: lines[0].update(images=_SPARSE, wanted=_SPARSE)),
    "the index has escapes": _with_index(lambda lines: lines[0].update(failed_per_reason={"\x1b\u202e": 1})),
    "an image claims 1 PB": _with_index(lambda lines: _of_image(lines).update(size=_SPARSE)),
    "an image is less than it claims": _with_index(lambda lines: _of_image(lines).update(size=10**8)),
    "an image is more than it claims": _image(lambda data: Stored(data + bytes(10**8), len(data))),
    "an image is truncated": _image(lambda data: Stored(data[: len(data) // 2])),
    "an image lacks what its size says": _image(lambda data: Stored(data[: len(data) // 2], len(data))),
    "an image is gone": lambda objects: objects.pop(_image_key(objects)),
    "an image expands": _image(
        lambda data: Stored(gzip.compress(bytes(2 * 10**9), 1), headers={"Content-Encoding": "gzip"})
    ),
    "an image is a bomb": _stated(lambda data: bombs.png_claim(60_000)),
    "a row leads out": _row(file_name="../../victim/secret.png"),
    "a row claims 1 PB": _row(size_bytes=_SPARSE),
    "the record is deep": _stated(lambda data: bombs.deep(100_000).encode(), "dataset.json"),
    "the record has escapes": _stated(
        lambda data: json.dumps(json.loads(data) | {"name": "\x1b]0;x\x07"}).encode(), "dataset.json"
    ),
    "the spec laughs": _stated(lambda data: bombs.laughs().encode(), "spec.yaml"),
}  # fmt: skip

_BEHAVIOURS = {
    "nothing is allowed": Behaviour(lambda method, key: 403),
    "only the index may be read": Behaviour(lambda method, key: 0 if method == "GET" and not key else 403),
    "nothing may be written": Behaviour(lambda method, key: 403 if method == "PUT" else 0),
    "it fails": Behaviour(lambda method, key: 500),
    "it redirects for ever": Behaviour(redirects=True),
}
