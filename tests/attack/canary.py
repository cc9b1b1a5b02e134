"""Canaries: files that no command may read; their token must not appear in any output, even compressed."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import os
import shutil
import stat
import subprocess
import zlib
from collections.abc import Iterator
from pathlib import Path

from PIL import Image, PngImagePlugin

from tests.attack.case import Place
from tests.engine.model_files import binary_stl, box_bin, obj, ply, usda

_LARGE = 400_000_000
_MAX_UNPACKED = 300_000_000


def write_canaries(place: Place) -> None:
    """Write a file of each kind that a model or a row can refer to, with the token in it."""
    token = place.token
    for folder in (place.secret, place.victim):
        folder.mkdir()
        (folder / "secret.txt").write_text(f"{token}\n")
        (folder / "secret.png").write_bytes(token_png(token))
        (folder / "secret.bin").write_bytes(box_bin() + token.encode())
        (folder / "secret.mtl").write_text(f"newmtl {token}\nKd 1 0 0\nmap_Kd secret.png\n")
        (folder / "secret.obj").write_text(f"o {token}\n" + obj())
        (folder / "secret.ply").write_text(
            ply().replace("format ascii 1.0", f"format ascii 1.0\ncomment {token}")
        )
        (folder / "secret.usda").write_text(usda(1, "Z").replace('"Box"', f'"{token.replace("-", "_")}"'))
        (folder / "secret.yaml").write_text(f"blendgen_model: 1\nclass: {token}\n")
        (folder / "secret.stl").write_bytes(token.encode().ljust(80) + binary_stl()[80:])
        (folder / "secret.csv").write_text(f"x,y,z\n1,2,{token}\n")
    nested = place.victim / "train" / "cup"
    nested.mkdir(parents=True)
    (nested / "holiday.png").write_bytes(token_png(token))


def token_png(token: str, size: tuple[int, int] = (64, 48)) -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", token)
    buffer = io.BytesIO()
    Image.new("RGB", size, (200, 40, 90)).save(buffer, "PNG", pnginfo=info)
    return buffer.getvalue()


def snapshot(place: Place) -> dict[str, str]:
    """Everything that a command must not change: path -> hash of the content, or kind of entry."""
    skipped = {str(path) for path in place.may_write}
    states = _states_below(place.root, skipped)
    for path in place.protected:
        if path.is_dir() and not path.is_symlink():
            states |= _states_below(path, {str(other) for other in place.may_write if other != path})
        elif os.path.lexists(path):
            states[str(path)] = _state(path)
    return {name.removeprefix(f"{place.root}/"): state for name, state in states.items()}


def _states_below(root: Path, skipped: set[str]) -> dict[str, str]:
    states = {}
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if str(Path(folder, name)) not in skipped]
        for name in [*files, *folders]:
            path = Path(folder, name)
            if str(path) not in skipped:
                states[str(path)] = _state(path)
    return states


def _state(path: Path) -> str:
    status = path.lstat()
    if stat.S_ISLNK(status.st_mode):
        return f"link to {path.readlink()}"
    if not stat.S_ISREG(status.st_mode):
        return f"kind {stat.S_IFMT(status.st_mode):o}"
    with path.open("rb") as file:
        if status.st_size > _LARGE:
            return f"{status.st_size} {hashlib.sha256(file.read(1_000_000)).hexdigest()}"
        return hashlib.file_digest(file, "sha256").hexdigest()


def changed(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Files that were removed, changed or added, in words."""
    changes = [f"{name} is gone" for name in before if name not in after]
    changes += [f"{name} is changed" for name in before if name in after and before[name] != after[name]]
    return changes + [f"{name} is new" for name in after if name not in before]


def leaks(folders: list[Path], tokens: list[bytes]) -> Iterator[str]:
    """Files below the folders that contain one of the tokens, also in compressed form."""
    for folder in (one for one in folders if not one.is_symlink()):
        for path in [folder] if folder.is_file() else sorted(folder.rglob("*")):
            if path.is_symlink() or not path.is_file():
                continue
            with path.open("rb") as file:
                data = file.read(_LARGE)
            if any(token in part for part in _unpacked(path, data) for token in tokens):
                yield str(path)


def _unpacked(path: Path, data: bytes) -> Iterator[bytes]:
    yield data
    if data[:4] == b"\x28\xb5\x2f\xfd":
        yield _by_zstd(data)
    elif data[:2] == b"\x1f\x8b":
        with gzip.open(io.BytesIO(data)) as file:
            yield file.read(_MAX_UNPACKED)
    elif data[:4] == b"\x89PNG":
        yield from _compressed_texts(data)
    elif path.suffix == ".parquet":
        yield from _by_parquet(data)


def _by_zstd(data: bytes) -> bytes:
    try:
        import zstandard
    except ImportError:
        if shutil.which("zstd") is None:
            return b""
        return subprocess.run(["zstd", "-dc"], input=data, capture_output=True, check=False).stdout
    with zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True) as reader:
        return reader.read(_MAX_UNPACKED)


def _compressed_texts(data: bytes) -> Iterator[bytes]:
    place = 8
    while place + 8 <= len(data):
        length, kind = int.from_bytes(data[place : place + 4], "big"), data[place + 4 : place + 8]
        if kind in (b"zTXt", b"iTXt", b"iCCP"):
            body = data[place + 8 : place + 8 + length]
            start = body.find(b"\x78")
            if start >= 0:
                with contextlib.suppress(zlib.error):
                    yield zlib.decompressobj().decompress(body[start:], _MAX_UNPACKED)
        place += 12 + length


def _by_parquet(data: bytes) -> Iterator[bytes]:
    try:
        import pyarrow.parquet as parquet
    except ImportError:
        return
    try:
        table = parquet.read_table(io.BytesIO(data))
    except (OSError, ValueError):
        return
    yield repr(table.to_pylist()).encode(errors="replace")
