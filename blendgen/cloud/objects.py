"""Objects: those of an object store below a URL, through fsspec.

In: a URL; credentials and other options come from the environment, in the way of each library. Out: bytes and
facts of objects, by names relative to the URL. Every request is tried again for a while where that may help.
fsspec is imported here and nowhere else, when a store is opened.
"""

from __future__ import annotations

import base64
import mimetypes
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from blendgen.cloud.faults import is_beyond_end, is_passing, store_error
from blendgen.cloud.sums import PART_BYTES, FileSums
from blendgen.errors import DatasetError, SetupError, UsageError
from blendgen.files.names import printable
from blendgen.files.url import Url

_Value = TypeVar("_Value")
_Item = TypeVar("_Item")
WAITS_S = (1.0, 4.0, 15.0)  # between tries; the libraries under fsspec's try a few times themselves
_PATIENCE_S = 60.0  # a library that tried for longer, as where a server is silent, is not asked again
_THREADS = 8
_PACKAGES = {"s3": "'blendgen[cloud]'", "s3a": "'blendgen[cloud]'", "gs": "gcsfs", "gcs": "gcsfs"}
_PACKAGES |= dict.fromkeys(("az", "abfs", "abfss", "adl"), "adlfs")
_S3 = ("s3", "s3a")
SHARDS = "shards"  # as in a folder, see Layout.shards


@dataclass(frozen=True)
class ObjectFacts:
    """size: bytes; etag: changes with the content, if the store has one; md5: hex, or that of parts on S3"""

    size: int
    etag: str | None
    md5: str | None


class ObjectStore:
    """raises: SetupError, UsageError where the URL cannot be opened"""

    def __init__(self, url: Url):
        self.url, self._stopped = url, threading.Event()
        self._files, self._root = _opened(url)

    def place(self, name: str) -> str:
        """An object for messages."""
        return printable(f"{self.url}/{name}" if name else str(self.url))

    def folders(self, name: str) -> list[str]:
        """Names of what is directly below a prefix, sorted; not of empty folders, which some stores have."""
        root = self._path(name).rstrip("/") + "/"
        paths = [info["name"] for info in self._below(name) if not self._is_empty(name, info)]
        return sorted({path.removeprefix(root).rstrip("/") for path in paths if path.startswith(root)} - {""})

    def listing(self, name: str) -> dict[str, ObjectFacts]:
        """All objects of a data set, by their name below its prefix; not those of its shards."""
        root = self._path(name).rstrip("/") + "/"
        infos = {info["name"]: info for info in self._below(name)}
        for path, info in tuple(infos.items()):
            if info["type"] == "directory" and path.rstrip("/") != f"{root}{SHARDS}":
                infos |= self._all_below(name, path)
        below = {path.removeprefix(root): info for path, info in infos.items() if path.startswith(root)}
        return {leaf: _facts(info) for leaf, info in below.items() if info["type"] == "file" and leaf}

    def _below(self, name: str) -> list[dict[str, Any]]:
        path = self._path(name)
        try:
            return list(self._patiently(name, lambda: self._files.ls(path, detail=True)))
        except FileNotFoundError:
            return []

    def _is_empty(self, name: str, info: dict[str, Any]) -> bool:
        is_folder = info["type"] == "directory" and self.url.scheme not in _PACKAGES
        return is_folder and not self._all_below(name, info["name"])

    def _all_below(self, name: str, path: str) -> dict[str, Any]:
        try:
            infos: dict[str, Any] = self._patiently(name, lambda: self._files.find(path, detail=True))
        except FileNotFoundError:  # removed meanwhile
            return {}
        return infos

    def read(self, name: str, max_bytes: int) -> bytes | None:
        """The content of an object; None if it is not there; raises DatasetError where it is larger."""
        try:
            return b"".join(self.opened(name, max_bytes))
        except FileNotFoundError:
            return None

    def opened(self, name: str, max_bytes: int) -> Iterator[bytes]:
        """As read, a block at a time; raises FileNotFoundError where it is not there."""
        size = self._patiently(name, lambda: self._files.info(self._path(name)))["size"]
        if size > max_bytes:
            raise DatasetError(f"{self.place(name)}: is larger than {max_bytes // 2**20} MiB")
        yield from self.blocks(name, size)

    def start(self, name: str, count: int) -> bytes:
        """The first bytes of an object; raises FileNotFoundError where it is not there."""
        return self._range(name, 0, count)

    def blocks(self, name: str, size: int) -> Iterator[bytes]:
        """The content of an object of a known size, never more than one byte beyond it."""
        for start in range(0, size, PART_BYTES):
            end = min(start + PART_BYTES, size)
            yield self._range(name, start, end + (end == size))

    def write(self, name: str, data: bytes) -> None:
        self._sent(name, lambda: self._files.pipe_file(self._path(name), data))

    def send(self, name: str, path: Path, sums: FileSums) -> None:
        """Send a file; S3 compares its MD5, or checksums of its parts, with what arrives."""
        options: dict[str, Any] = {}
        if self.url.scheme in _S3:
            options["chunksize"] = PART_BYTES
            options["ContentType"] = mimetypes.guess_type(name)[0] or "application/octet-stream"
            if not sums.has_parts:
                options["ContentMD5"] = base64.b64encode(bytes.fromhex(sums.md5)).decode()
        self._sent(name, lambda: self._files.put_file(str(path), self._path(name), **options))

    def copy(self, source: str, name: str) -> None:
        """Copy an object inside of the store, which moves no bytes to this machine."""
        self._sent(name, lambda: self._files.cp_file(self._path(source), self._path(name)))

    def remove(self, name: str) -> None:
        try:
            self._patiently(name, lambda: self._files.rm_file(self._path(name)))
        except FileNotFoundError:
            return

    def open_uploads(self, name: str) -> list[tuple[str, str]]:
        """Objects of a data set of which only parts were sent, and ids of these uploads; only S3 keeps them.

        raises: FileNotFoundError, BlendgenError
        """
        if self.url.scheme not in _S3:
            return []
        bucket, key, _ = self._files.split_path(self._path(name))
        uploads, request = list[tuple[str, str]](), {"Bucket": bucket, "Prefix": f"{key}/".lstrip("/")}
        while True:
            answer = self._patiently(name, lambda: self._files.call_s3("list_multipart_uploads", **request))
            for one in answer.get("Uploads") or ():
                leaf = one["Key"].removeprefix(request["Prefix"])
                if not leaf.startswith(f"{SHARDS}/"):
                    uploads.append((leaf, one["UploadId"]))
            if not answer.get("IsTruncated"):
                return uploads
            request["KeyMarker"] = answer["NextKeyMarker"]
            request["UploadIdMarker"] = answer["NextUploadIdMarker"]

    def end_upload(self, name: str, upload: str) -> None:
        """Remove the parts of an object that were sent; raises FileNotFoundError, BlendgenError."""
        bucket, key, _ = self._files.split_path(self._path(name))
        self._patiently(
            name,
            lambda: self._files.call_s3("abort_multipart_upload", Bucket=bucket, Key=key, UploadId=upload),
        )

    def side_by_side(self, call: Callable[[_Item], _Value], items: Iterable[_Item]) -> Iterator[_Value]:
        """Results of calls in a few threads, in order; raises what the first one raised."""
        rest = iter(items)
        self._stopped.clear()
        with ThreadPoolExecutor(_THREADS) as pool:
            waiting: list[Future[_Value]] = [pool.submit(call, item) for item in islice(rest, 4 * _THREADS)]
            try:
                while waiting:
                    yield waiting.pop(0).result()
                    waiting += [pool.submit(call, item) for item in islice(rest, 1)]
            except BaseException:
                self._stopped.set()
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _range(self, name: str, start: int, end: int) -> bytes:
        def bytes_there() -> bytes:
            try:
                return bytes(self._files.cat_file(self._path(name), start=start, end=end))
            except Exception as error:
                if is_beyond_end(error):
                    return b""
                raise

        return bytes(self._patiently(name, bytes_there))

    def _sent(self, name: str, call: Callable[[], Any]) -> None:
        try:
            self._patiently(name, call)
        except FileNotFoundError as error:  # no bucket
            raise store_error(self.place(name), error) from None

    def _patiently(self, name: str, call: Callable[[], Any]) -> Any:
        """The result of a request; raises FileNotFoundError, BlendgenError."""
        began_s = time.monotonic()
        for wait_s in (*WAITS_S, None):
            try:
                return call()
            except FileNotFoundError:
                raise
            except Exception as error:  # noqa: BLE001 - each library has its own
                is_last = wait_s is None or time.monotonic() - began_s > _PATIENCE_S
                if is_last or not is_passing(error) or self._stopped.wait(wait_s):
                    raise store_error(self.place(name), error) from None
        raise AssertionError("unreachable")

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}" if name else self._root


def _opened(url: Url) -> tuple[Any, str]:
    """The file system of a URL, and its path there."""
    package = _PACKAGES.get(url.scheme, "'blendgen[cloud]'")
    try:
        import fsspec

        kind = fsspec.get_filesystem_class(url.scheme)
    except ImportError:
        raise SetupError(f"{url}: needs a package that is not installed: pip install {package}") from None
    except ValueError:
        raise UsageError(f"{url}: fsspec knows no {url.scheme}: URLs; known are s3, gs, az") from None
    try:
        files = fsspec.filesystem(url.scheme, skip_instance_cache=True, use_listings_cache=False)
    except Exception as error:  # noqa: BLE001 - each library has its own
        raise store_error(str(url), error) from None
    if url.scheme in _S3:
        # s3fs repeats what botocore has tried five times: a silent server would take 6 minutes a request
        files.retries = 1
    return files, kind._strip_protocol(str(url)).rstrip("/")


def _facts(info: dict[str, Any]) -> ObjectFacts:
    """What a store says about an object; the keys are those of s3fs, gcsfs and adlfs."""
    tag = info.get("ETag") or info.get("etag")
    etag = str(tag).strip('"') if tag else None
    md5 = etag if info.get("ETag") else None
    if info.get("md5Hash"):
        md5 = base64.b64decode(info["md5Hash"]).hex()
    settings = info.get("content_settings")
    stated = settings.get("content_md5") if isinstance(settings, dict) else None
    return ObjectFacts(int(info.get("size") or 0), etag, bytes(stated).hex() if stated else md5)
