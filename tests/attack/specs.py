"""Specs, and the tables, panoramas and photos that they name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from tests.attack import bombs
from tests.attack.case import Case, Command, Place, harmless, refused
from tests.attack.stock import SPEC, fifo, link, write_spec, write_yaml

_LIMITS = {"memory_mb": 4000, "seconds": 60}
_TEXTS: dict[str, Callable[[], str]] = {
    "deep YAML": lambda: SPEC + "x: " + bombs.deep(50_000),
    "deep YAML blocks": lambda: SPEC + "x:\n  " + "- " * 50_000 + "a\n",
    "deep mappings": lambda: SPEC + "x: " + bombs.deep(50_000, "{a: ", "}").replace(": }", ": 1}"),
    "billion laughs": lambda: SPEC + bombs.laughs(),
    "laughs of mappings": lambda: SPEC + bombs.laughs().replace("[", "{a: [").replace("]", "]}"),
    "a python object": lambda: "!!python/object/apply:os.system ['touch ran']\n",
    "a python name": lambda: SPEC.replace("name: tiny", "name: !!python/name:os.system"),
    "an alias of itself": lambda: SPEC + "x: &a [*a]\n",
    "a merge of itself": lambda: SPEC + "x: &a {<<: *a}\n",
    "a number of 1e6 digits": lambda: SPEC.replace("seed: 1", "seed: " + "9" * 1_000_000),
    "1e18 images": lambda: SPEC.replace("images: 4", f"images: {10**18}"),
    "1e9 x 1e9 pixels": lambda: SPEC.replace("[32, 32]", f"[{10**9}, {10**9}]"),
    "NaN": lambda: SPEC.replace("frame_fill: 0.5", "frame_fill: .nan"),
    "a name that is a path": lambda: SPEC.replace("name: tiny", "name: ../../victim"),
    "a name with escapes": lambda: SPEC.replace("name: tiny", 'name: "a\\e[2J\\u202e"'),
    "a key with escapes": lambda: SPEC + '"x\\e[2J\\u009b": 1\n',
    "a split that is a path": lambda: SPEC + "splits: {../../../victim: 1.0}\n",
    "a base outside": lambda: "extends: ../secret/secret.yaml\n" + SPEC,
    "a sensor outside": lambda: SPEC.replace("sensor: ideal", "sensor: ../secret/secret.yaml"),
    "NUL": lambda: SPEC + "x: \0\n",
    "UTF-16 by name": lambda: SPEC.encode("utf-16").decode("latin-1"),
    "empty": lambda: "",
    "a list": lambda: "- 1\n",
}
_REFUSED_TEXTS = tuple(name for name in _TEXTS if name != "a name with escapes")


def cases() -> Iterator[Case]:
    for name, text in _TEXTS.items():
        yield Case(f"spec: {name}", partial(_text, name, text), name == "billion laughs")
    for kind in (
        "a pipe",
        "/dev/zero",
        "/dev/stdin",
        "300 MB",
        "a folder",
        "/proc/self/environ",
        "a link",
    ):
        yield Case(f"spec: is {kind}", partial(_file, kind), kind == "/dev/zero")
    for kind in ("a pipe", "/dev/zero", "/etc/passwd", "a secret", "100 MB", "deep YAML", "billion laughs"):
        for suffix in ("yaml", "json", "csv"):
            short = (kind, suffix) == ("/etc/passwd", "csv")
            yield Case(f"recolor_table: {kind} as {suffix}", partial(_table, kind, suffix), short)
    yield Case("recolor_table: outside by its path", _table_outside)
    for section in ("backdrop", "photos", "panoramas"):
        for name, make in _PICTURES.items():
            yield Case(
                f"{section}: {name}",
                partial(_picture, section, make),
                (section, name) == ("backdrop", "a pipe"),
            )


def _text(name: str, text: Callable[[], str], place: Place) -> list[Command]:
    write_spec(place)
    spec = write_yaml(place, text())
    make = refused if name in _REFUSED_TEXTS else harmless
    return [make("check", spec, memory_mb=1500), harmless("models", spec, **_LIMITS)]


def _file(kind: str, place: Place) -> list[Command]:
    spec = write_spec(place)
    spec.unlink()
    if kind == "a pipe":
        fifo(spec)
    elif kind == "a folder":
        spec.mkdir()
    elif kind == "300 MB":
        bombs.fill(spec, "# comment\n", 300, SPEC)
    else:
        link(spec, place.secret / "secret.txt")  # the user names the spec, so a link there is followed
        place.readable.append(place.secret / "secret.txt")
    return [
        refused("check", spec),
        refused("generate", spec, "-o", place.out / "set"),
        refused("sample", spec),
    ]


def _table(kind: str, suffix: str, place: Place) -> list[Command]:
    write_spec(place)
    table = place.given / f"colors.{suffix}"
    texts = {
        "deep YAML": lambda: bombs.deep(100_000),
        "billion laughs": lambda: bombs.laughs(),
    }
    if kind in texts:
        table.write_text(texts[kind]())
    elif kind == "a pipe":
        fifo(table)
    elif kind == "100 MB":
        bombs.fill(table, '"a","b","#ff0000"\n', 100)
    else:
        link(table, place.secret / "secret.txt" if kind == "a secret" else kind)
    return _checked_table(place, table.name)


def _table_outside(place: Place) -> list[Command]:
    write_spec(place)
    return [*_checked_table(place, "/etc/passwd"), *_checked_table(place, "/dev/zero")]


def _checked_table(place: Place, name: str) -> list[Command]:
    changes = f"models, label: model, unit: cm, recolor_table: {name}"
    spec = write_yaml(
        place, SPEC.replace("models, label: model, unit: cm", changes), f"by {Path(name).name}.yaml"
    )
    return [refused("check", spec, memory_mb=1500, unsaid=(b"root:x:0:0",))]


_PICTURES: dict[str, Callable[[Path, Place], object]] = {
    "a pipe": lambda path, place: fifo(path),
    "/dev/zero": lambda path, place: link(path, "/dev/zero"),
    "/etc/shadow": lambda path, place: link(path, "/etc/shadow"),
    "20,000 x 20,000": lambda path, place: path.write_bytes(bombs.png_bomb(20_000)),
    "claims 60,000 x 60,000": lambda path, place: path.write_bytes(_claim(path)),
    "a secret": lambda path, place: link(path, place.secret / "secret.png"),
    "empty": lambda path, place: path.touch(),
    "a sparse file of 1 TB": lambda path, place: bombs.sparse(path, _claim(path), 10**12),
}


def _claim(path: Path) -> bytes:
    if path.suffix == ".exr":
        return bombs.exr_claim(60_000, 60_000)
    return bombs.hdr_claim(60_000, 60_000) if path.suffix == ".hdr" else bombs.png_claim(60_000)


def _picture(section: str, make: Callable[[Path, Place], object], place: Place) -> list[Command]:
    write_spec(place)
    folder = place.given / "pictures"
    folder.mkdir()
    sections = {
        "backdrop": "backdrop: {directory: pictures}\n",
        "photos": "surface: {kind: photo, photos: {directory: pictures, width_m: 1}}\n",
        "panoramas": "lighting: {environment: {directory: pictures}}\n",
    }
    names = ("one.hdr", "two.exr") if section == "panoramas" else ("one.png",)
    for name in names:
        make(folder / name, place)
    spec = write_yaml(place, SPEC + sections[section])
    place.out.mkdir()
    sheet = place.out / "sheet.png"
    return [harmless("check", spec, **_LIMITS), harmless("preview", spec, "-n", "1", "-o", sheet, **_LIMITS)]
