"""User files: files of the user in the target folder of a command never change, even with --force."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from tests.attack.canary import token_png
from tests.attack.case import Case, Command, Place, harmless, refused
from tests.attack.stock import fake_set, fifo, link, photos, write_spec

USER_FILES = (
    *("images/holiday.png", "images/train/cup/holiday.png", "masks/carnival.png", "depth/lake.png"),
    *("clean/laundry.txt", "parts/list.txt", "contact_sheet.jpg", "blender.log", "spec.yaml", "notes.txt"),
)
_MORE_FILES = (".lock", ".partial/letter.txt", "dataset.json", "manifest.jsonl")
_FILES_IN_A_SET = (
    *("images/train/box/holiday.png", "images/train/box/notes.txt", "images/lake.png"),
    *("masks/carnival.png", "notes.txt", ".partial/letter.txt"),
)
_FORMATS = ("imagefolder", "coco", "yolo", "voc", "parquet", "csv")
_MARKER, _LIST = ".blendgen-export.json", ".blendgen-export-files.txt"


def cases() -> Iterator[Case]:
    yield from _folders()
    yield from _single_files()
    yield from _pictures()
    yield from _destinations()
    yield from _markers()


def put_user_files(folder: Path, names=USER_FILES) -> Path:
    """Write files of the user, which no command has made."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(token_png("of a user") if path.suffix in (".png", ".jpg") else b"of a user\n")
    return folder


def _user_folder(place: Place, name: str = "mine") -> Path:
    return put_user_files(place.given / name)


def _writing(place: Place, dest: Path, force: bool, make=refused) -> list[Command]:
    """Every command that writes a folder, with this one as its target."""
    more = ("--force",) if force else ()
    spec, data = write_spec(place), fake_set(place)
    photos(place)
    if dest.is_dir():  # a lock file may exist there for a while; nothing new may stay
        place.writable.append(dest.resolve())
        place.protected.append(dest.resolve())
    render = {"memory_mb": 4000, "seconds": 60}
    return [
        make("generate", spec, "-o", dest, "--workers", "1", *more, **render),
        *(make("export", data, name, dest, *more) for name in _FORMATS[: 1 if place.short else None]),
        make("mix", data, photos(place), "-o", dest, *more),
        make("subset", data, "--limit", "1", "-o", dest, *more),
    ]


def _folders() -> Iterator[Case]:
    for force in (False, True):
        suffix = " with --force" if force else ""
        yield Case(f"user files: a folder of files{suffix}", partial(_folder_of_files, force), force)
        yield Case(f"user files: a file{suffix}", partial(_onto, force, _a_file))
        yield Case(f"user files: a pipe{suffix}", partial(_onto, force, lambda p: fifo(p.given / "pipe")))
        yield Case(f"user files: a link to a folder of files{suffix}", partial(_onto, force, _a_link))
        yield Case(f"user files: a broken link into a secret{suffix}", partial(_onto, force, _a_broken_link))
        yield Case(f"user files: the folder of the spec{suffix}", partial(_onto, force, lambda p: p.given))
        yield Case(
            f"user files: the folder above everything{suffix}", partial(_onto, force, lambda p: p.root)
        )
        yield Case(f"user files: the home folder{suffix}", partial(_onto, force, _a_home))


def _folder_of_files(force: bool, place: Place) -> list[Command]:
    return _writing(place, _user_folder(place), force)


def _onto(force: bool, make: Callable[[Place], Path], place: Place) -> list[Command]:
    return _writing(place, make(place), force)


def _a_file(place: Place) -> Path:
    path = place.given / "thesis.txt"
    path.write_text("of a user\n")
    return path


def _a_link(place: Place) -> Path:
    return link(place.given / "link", _user_folder(place))


def _a_broken_link(place: Place) -> Path:
    return link(place.given / "link", place.secret / "new")


def _a_home(place: Place) -> Path:
    return put_user_files(place.home)


# ---- one file of the user with the name of a file of blendgen, in an empty folder or in a data set


def _single_files() -> Iterator[Case]:
    for name in (
        *USER_FILES,
        ".lock",
        ".partial/letter.txt",
        "dataset.json",
        "manifest.jsonl",
    ):
        yield Case(f"user files: only {name}", partial(_only, name), name == "blender.log")
    for name in (
        "images/train/box/holiday.png",
        "masks/carnival.png",
        "notes.txt",
        "images/train/box/notes.txt",
    ):
        yield Case(f"user files: {name} in a data set", partial(_in_set, name), name == "masks/carnival.png")


def _only(name: str, place: Place) -> list[Command]:
    """The command may write to the folder, so new files are not a fault; the file of the user must stay."""
    dest = put_user_files(place.out / "mine", [name])
    place.protected.append(dest / name)
    limits = {"memory_mb": 4000, "seconds": 60}
    spec, data = write_spec(place), fake_set(place)
    made = [
        harmless("generate", spec, "-o", dest, "--workers", "1", *more, **limits)
        for more in ((), ("--force",))
    ]
    return [*(harmless("export", data, "coco", dest, *more) for more in ((), ("--force",))), *made]


def _in_set(name: str, place: Place) -> list[Command]:
    """The command may make its own files again; other files must stay."""
    spec, data = write_spec(place), place.out / "set"
    shutil.copytree(place.stock / "set", data)
    put_user_files(data, [name])
    place.protected.append(data / name)
    limits = {"memory_mb": 4000, "seconds": 60}
    return [
        harmless("generate", spec, "-o", data, "--workers", "1", "--seed", "2", "--force", **limits),
        refused("export", fake_set(place), "coco", data, "--force"),
    ]


# ---- pictures


def _pictures() -> Iterator[Case]:
    for name in ("spec.yaml", "photo.png", "photo.jpg", "notes.txt", "models/box.obj", "images"):
        yield Case(f"preview: onto {name}", partial(_preview, name), name == "photo.png")
    yield Case("preview: onto a link to a secret", _preview_link)
    yield Case("preview: onto a pipe", _preview_pipe)
    yield Case("models --init: onto files", _init)
    yield Case("home: Blender keeps nothing there", _untouched_home, True)


def _preview(name: str, place: Place) -> list[Command]:
    spec = write_spec(place)
    if name not in ("spec.yaml", "models/box.obj"):
        put_user_files(place.given, [f"{name}/holiday.png" if name == "images" else name])
    return [refused("preview", spec, "-n", "1", "-o", place.given / name, memory_mb=4000)]


def _preview_link(place: Place) -> list[Command]:
    spec = write_spec(place)
    place.out.mkdir()
    dest = link(place.out / "sheet.png", place.secret / "secret.png")
    return [harmless("preview", spec, "-n", "1", "-o", dest, memory_mb=4000)]


def _preview_pipe(place: Place) -> list[Command]:
    return [
        refused("preview", write_spec(place), "-n", "1", "-o", fifo(place.given / "pipe.png"), memory_mb=4000)
    ]


def _init(place: Place) -> list[Command]:
    write_spec(place)
    model = place.given / "models" / "box.obj"
    (model.with_suffix(".yaml")).write_text("of a user: 1\n")
    link(model.with_name("box.obj.yaml"), place.secret / "new.yaml")
    return [harmless("models", model, "--init", memory_mb=4000)]


def _untouched_home(place: Place) -> list[Command]:
    place.writable.clear()
    spec = write_spec(place)
    shutil.rmtree(place.cache / "assets", ignore_errors=True)
    return [
        harmless("preview", spec, "-n", "1", "-o", place.out / "new" / "sheet.png", memory_mb=4000),
        harmless("generate", spec, "-n", "1", "-o", place.out / "set", memory_mb=4000, seconds=90),
    ]


# ---- destinations of exports


def _destinations() -> Iterator[Case]:
    for force in (False, True):
        suffix = " with --force" if force else ""
        yield Case(f"destination: images is a link to a secret{suffix}", partial(_linked_images, force))
        yield Case(f"destination: inside the source{suffix}", partial(_inside, force))
        yield Case(f"destination: around the source{suffix}", partial(_around, force))
    yield Case("destination: a link to a secret", _linked_destination)
    yield Case("destination: may only be read", _read_only)
    yield Case("destination: partial files are links to a secret", _linked_partial)


def _export_twice(place: Place, dest: Path, make=refused, force: bool = True) -> list[Command]:
    data = fake_set(place) if not (place.given / "set").exists() else place.given / "set"
    more = ("--force",) if force else ()
    return [
        *(make("export", data, name, dest, *more) for name in ("coco", "csv", "croissant")),
        make("mix", data, photos(place), "-o", dest, *more),
    ]


def _linked_images(force: bool, place: Place) -> list[Command]:
    """A finished export whose folders were replaced by links."""
    data, dest = fake_set(place), place.out / "coco"
    place.out.mkdir()
    first = harmless("export", data, "coco", dest)
    swap = place.out / "other"
    for name in ("images", "annotations", "train"):
        link(swap / name, place.victim)
    (swap / _MARKER).write_text("{}")
    (swap / _LIST).write_text("images/secret.png\nannotations/secret.txt\ntrain/secret.png\n")
    return [first, *_export_twice(place, swap, force=force)]


def _inside(force: bool, place: Place) -> list[Command]:
    data = fake_set(place)
    return [
        command
        for dest in (data, data / "export", data / "images", place.given / "x" / ".." / "set")
        for command in _export_twice(place, dest, force=force)
    ]


def _around(force: bool, place: Place) -> list[Command]:
    fake_set(place)
    return _export_twice(place, place.given, force=force)


def _linked_destination(place: Place) -> list[Command]:
    place.out.mkdir()
    return _export_twice(place, link(place.out / "dest", place.victim))


def _read_only(place: Place) -> list[Command]:
    dest = place.out / "dest"
    dest.mkdir(parents=True)
    dest.chmod(0o500)
    return _export_twice(place, dest, harmless)


def _linked_partial(place: Place) -> list[Command]:
    dest = place.out / "dest"
    for name in (_MARKER, "images/train/000000.png", "dataset.json", "labels.csv"):
        link(dest / f"{name}.blendgen-partial", place.secret / "secret.txt")
    (dest / _MARKER).write_text("{}")
    return _export_twice(place, dest, harmless)


def _markers() -> Iterator[Case]:
    lines = {
        "up": lambda place: "../../victim/secret.txt",
        "absolute": lambda place: f"{place.victim}/secret.txt",
        "a folder": lambda place: "../../victim",
        "with a carriage return": lambda place: "../../victim/secret.txt\r",
        "with NUL": lambda place: "images/\0x",
        "nothing but dots": lambda place: "..\n.\n/\n//",
        "a file of the user": lambda place: "notes.txt",
        "too long": lambda place: "a" * 5000,
    }
    for name, line in lines.items():
        yield Case(f"list of an export: {name}", partial(_listed, line), name == "up")
    for name, text in {"deep": "[" * 100_000, "null": "null", "a list": "[]", "a number": "1"}.items():
        yield Case(f"marker of an export: {name}", partial(_marked, text))
    for name in (_MARKER, _LIST):
        yield Case(f"{name} is a link to a secret", partial(_linked_marker, name, ""))
        yield Case(f"{name} is a pipe", partial(_pipe_marker, name))
        yield Case(f"{name} is a link to /dev/zero", partial(_linked_marker, name, "/dev/zero"))


def _exported(place: Place) -> tuple[Path, list[Command]]:
    """A file of the user in an export, with the marker of another one; and commands that replace it."""
    dest = place.given / "dest"
    put_user_files(dest, ["notes.txt"])
    (dest / _MARKER).write_text("{}")
    place.writable += [dest / name for name in (_MARKER, _LIST, "images", "annotations", "labels.csv")]
    place.writable += [dest / f"{name}.blendgen-partial" for name in (_MARKER, _LIST, "labels.csv")]
    return dest, [
        harmless("export", fake_set(place), "coco", dest),
        harmless("export", place.given / "set", "coco", dest, "--force"),
        harmless("export", place.given / "set", "csv", dest, "--force"),
    ]


def _listed(line: Callable[[Place], str], place: Place) -> list[Command]:
    dest, commands = _exported(place)
    (dest / _LIST).write_text(f"{line(place)}\n", newline="")
    return commands


def _marked(text: str, place: Place) -> list[Command]:
    dest, commands = _exported(place)
    (dest / _MARKER).write_text(text)
    return commands


def _linked_marker(name: str, target: str, place: Place) -> list[Command]:
    dest, commands = _exported(place)
    link(dest / name, target or place.secret / "secret.txt")
    return commands


def _pipe_marker(name: str, place: Place) -> list[Command]:
    dest, commands = _exported(place)
    fifo(dest / name)
    return commands
