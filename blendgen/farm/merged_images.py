"""Merged images: the rows and failures of many data sets in the order of their indices, each image once.

In: merge inputs, each of them sorted. Out: MergedImages, in memory that does not grow with their number. An
input is open only from its first index to its last, so that thousands of shards need few open files.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path
from typing import TypeVar

from blendgen.dataset.failures import FailedImage
from blendgen.errors import PASSING_REASONS, DatasetError
from blendgen.farm.merge_input import MergeInput

_MAX_GAPS = 1000
_Payload = TypeVar("_Payload")


@dataclass(frozen=True)
class MergedImage:
    """line: of the manifest, or of failed.jsonl if there is a failure; number: of the line, from 1

    source: the first input that has it
    """

    index: int
    line: bytes
    number: int
    source: MergeInput
    failure: FailedImage | None = None


@dataclass
class Survey:
    """What the inputs have together.

    gaps: the first ranges of indices that no input has; missing: the number of all such images
    sources: folders of the inputs that images are taken from
    """

    images: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    gaps: list[range] = field(default_factory=list)
    missing: int = 0
    sources: set[Path] = field(default_factory=set)

    def add_gap(self, gap: range) -> None:
        self.missing += len(gap)
        if gap and len(self.gaps) < _MAX_GAPS:
            self.gaps.append(gap)


def survey(inputs: Sequence[MergeInput], wanted_images: int, advance: Callable[[int], None]) -> Survey:
    """Read all rows and failures once; raises DatasetError as merged_images."""
    total, end = Survey(), 0
    for image in merged_images(inputs):
        total.add_gap(range(end, image.index))
        end = image.index + 1
        total.sources.add(image.source.root)
        if image.failure is None:
            total.images += 1
        else:
            total.failed[image.failure.reason] += 1
        advance(1)
    total.add_gap(range(end, wanted_images))
    return total


def merged_images(inputs: Sequence[MergeInput]) -> Iterator[MergedImage]:
    """All images in order. A failure that another run may not have, and one had not, does not count.

    raises: DatasetError where two inputs disagree about an image, or where one is not finished
    """
    made_index = -1
    both = heapq.merge(_rows(inputs), _failures(inputs), key=attrgetter("index"))  # rows come first
    for image in both:
        if image.failure is None:
            made_index = image.index
        elif image.index == made_index:
            if image.failure.reason not in PASSING_REASONS:
                raise DatasetError(
                    f"{image.source.root}: image {image.index} cannot be made there "
                    f"({image.failure.reason}), but another shard has it; they are not shards of one data set"
                )
            continue
        yield image


def _rows(inputs: Sequence[MergeInput]) -> Iterator[MergedImage]:
    lines = in_order(inputs, MergeInput.rows)
    return _unique(MergedImage(index, line, number, source) for index, (line, number), source in lines)


def _failures(inputs: Sequence[MergeInput]) -> Iterator[MergedImage]:
    lines = in_order(inputs, MergeInput.failures)
    return _unique(MergedImage(index, line, 0, source, failure) for index, (line, failure), source in lines)


def _unique(images: Iterator[MergedImage]) -> Iterator[MergedImage]:
    last: MergedImage | None = None
    for image in images:
        if last is None or image.index > last.index:
            last = image
            yield image
        elif image.index < last.index:
            raise image.source.unfinished("it changes while it is read")
        elif image.line != last.line:
            raise DatasetError(
                f"{image.source.root}: image {image.index} is another one than in {last.source.root}; they "
                "are not shards of one data set, or were made on different devices"
            )


def in_order(
    inputs: Sequence[MergeInput], read: Callable[[MergeInput], Iterator[tuple[int, _Payload]]]
) -> Iterator[tuple[int, _Payload, MergeInput]]:
    """What `read` yields for each input, sorted by index; of equal ones, that of an earlier input first."""
    firsts = ((next((i for i, _ in read(one)), None), position) for position, one in enumerate(inputs))
    waiting = sorted(((first, position) for first, position in firsts if first is not None), reverse=True)
    heap: list[tuple[int, int, _Payload, Iterator[tuple[int, _Payload]]]] = []
    while waiting or heap:
        if waiting and (not heap or waiting[-1][0] <= heap[0][0]):
            _, position = waiting.pop()
            stream = read(inputs[position])
            for index, payload in stream:
                heapq.heappush(heap, (index, position, payload, stream))
                break
            continue
        index, position, payload, stream = heap[0]
        yield index, payload, inputs[position]
        following = next(stream, None)
        if following is None:
            heapq.heappop(heap)
        else:
            heapq.heapreplace(heap, (following[0], position, following[1], stream))
