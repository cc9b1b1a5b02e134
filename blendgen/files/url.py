"""URL: a place in an object store, such as s3://bucket/prefix; and which places are folders instead.

In: what a user gives as a place. Out: a checked Url, or a path of this machine; nothing is opened.
A URL is not percent-encoded: all characters after the bucket are those of the names of objects.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from blendgen.errors import UsageError
from blendgen.files.names import is_hidden, printable

AnyPath: TypeAlias = str | os.PathLike[str]

_START = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/")  # a single letter is a drive of Windows
_NO_COLON = re.compile(r"(s3|gs|gcs|az|abfs)//")
_PASSWORD = re.compile(r":/+[^/@]*:[^/@]*@")
_ELSEWHERE = {
    "file": "give the path itself",
    "local": "give the path itself",
    "http": "a web server takes no files; give the URL of the object store, such as s3://bucket/prefix",
    "https": "a web server takes no files; give the URL of the object store, such as s3://bucket/prefix",
}


@dataclass(frozen=True)
class Url:
    """text: without a slash at its end"""

    text: str

    def __str__(self) -> str:
        return self.text

    @property
    def scheme(self) -> str:
        return self.text.partition(":")[0]

    @property
    def name(self) -> str:
        """The last part, the bucket if there is no other one."""
        return self.text.rpartition("/")[2]


def is_url(place: AnyPath) -> bool:
    """Whether a place is a URL, also as a Path, which has lost a slash of it, or one without its colon."""
    return bool(_START.match(os.fspath(place)) or _NO_COLON.match(os.fspath(place)))


def parse_url(place: AnyPath) -> Url:
    """raises: UsageError for what cannot be the URL of a data set; never repeats a password."""
    text = os.fspath(place)
    if _PASSWORD.search(text):
        raise UsageError(
            "a URL with a password would be in every log; remove it, and set credentials in the environment"
        )
    if not isinstance(place, str):
        raise UsageError(f"{printable(text)}: give a URL as text, not as a Path, which changes it")
    scheme, _, rest = text.partition("://")
    fault = _fault(scheme.lower(), rest.rstrip("/"))
    if fault:
        raise UsageError(f"{printable(text)}: {fault}")
    return Url(f"{scheme.lower()}://{rest.rstrip('/')}")


def _fault(scheme: str, rest: str) -> str | None:
    if scheme in _ELSEWHERE:
        return _ELSEWHERE[scheme]
    if not re.fullmatch(r"[a-z0-9+.-]+", scheme) or not rest:
        return "expected a URL such as s3://bucket/prefix"
    if "::" in rest or "?versionId=" in rest:
        return "chained URLs and versions are not supported; give a bucket and a prefix"
    if any(map(is_hidden, rest)):
        return "has a character that cannot be shown"
    if any(part in ("", ".", "..") for part in rest.split("/")):
        return "has an empty part, '.' or '..' between two slashes"
    return None


def local_path(place: AnyPath, use: str = "this") -> Path:
    """A folder or file of this machine; raises UsageError for a URL.

    use: what it is for
    """
    if is_url(place):
        text = os.fspath(place)
        shown = "a URL" if _PASSWORD.search(text) else printable(text)
        raise UsageError(f"{shown}: is a URL, and {use} needs a folder or a file of this machine")
    return Path(place)
