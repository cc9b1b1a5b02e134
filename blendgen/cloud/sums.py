"""Sums: the checksums of a file that is sent: sha256 for our records, MD5 as object stores state it.

S3 states the MD5 of an object that was sent as a whole, and for one sent in parts the MD5 of the MD5s of its
parts, with their number; source: "Checking object integrity in Amazon S3".
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from blendgen.files.regular_file import open_regular

PART_BYTES = 16 * 2**20  # S3 takes at most 10,000 parts: 156 GiB


@dataclass(frozen=True)
class FileSums:
    """size: bytes; sha256, md5: hex; md5_of_parts: as S3 states it"""

    size: int
    sha256: str
    md5: str
    md5_of_parts: str

    @property
    def has_parts(self) -> bool:
        """Whether s3fs sends the file in parts."""
        return self.size >= 2 * PART_BYTES

    def equal_md5(self, stated: str | None) -> bool:
        """Whether a store states the MD5 of this content."""
        return stated in (self.md5, self.md5_of_parts)


def file_sums(path: Path) -> FileSums:
    """raises: OSError"""
    sha256, md5, parts, size = hashlib.sha256(), hashlib.md5(usedforsecurity=False), b"", 0
    with open_regular(path) as file:
        while block := file.read(PART_BYTES):
            sha256.update(block)
            md5.update(block)
            parts += hashlib.md5(block, usedforsecurity=False).digest()
            size += len(block)
    of_parts = f"{hashlib.md5(parts, usedforsecurity=False).hexdigest()}-{len(parts) // 16}"
    return FileSums(size, sha256.hexdigest(), md5.hexdigest(), of_parts)
