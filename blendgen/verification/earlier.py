"""Earlier: what the rows before this one hold, for what must be unique or must agree; little of each row."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from blendgen.dataset.digest_map import DigestMap
from blendgen.dataset.index_set import IndexSet
from blendgen.verification.list_checks import ListCheck


@dataclass
class Earlier:
    """counts: rows of each split and of each label; lists: of images"""

    indices: IndexSet = field(default_factory=IndexSet)
    counts: dict[str, Counter[str]] = field(default_factory=lambda: {"split": Counter(), "label": Counter()})
    lists: ListCheck = field(default_factory=ListCheck)
    _files: DigestMap = field(default_factory=DigestMap)
    _pictures: DigestMap = field(default_factory=DigestMap)
    _shots: IndexSet = field(default_factory=IndexSet)
    _shots_of_split: dict[str, IndexSet] = field(default_factory=lambda: defaultdict(IndexSet))

    def has_index(self, index: int) -> bool:
        """Whether there was a row of an image; adds this one."""
        is_there = index in self.indices
        self.indices.add(index)
        return is_there

    def names(self, file: str) -> bool:
        """Whether a row named a file."""
        return file in self._files

    def has_file(self, name: str, index: int) -> bool:
        """As `names`; adds this file of an image."""
        return self._files.setdefault(name, index) is not None

    def image_with(self, sha256: str, index: int) -> int | None:
        """The first image with the same picture; adds that of this one."""
        return self._pictures.setdefault(sha256, index)

    def is_in_other_split(self, shot: int, split: str) -> bool:
        """Whether the first row of a shot was in another split; adds this one."""
        if shot in self._shots:
            return shot not in self._shots_of_split[split]
        self._shots.add(shot)
        self._shots_of_split[split].add(shot)
        return False
