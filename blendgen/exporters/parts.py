"""Parts: the samples of each split in files of about one size, all splits in one pass.

The file of a sample depends on file sizes only, so that a killed export continues after the complete files.
Each split has one open file at a time; it is complete when the split starts the next one, or when the pass
ends without an error.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

from blendgen.dataset.source import Source
from blendgen.exporters.exporter import Options
from blendgen.exporters.samples import Sample, samples

Put = Callable[[Sample], None]


def numbered_samples(source: Source, options: Options) -> Iterator[tuple[int, Sample]]:
    """Samples with the number of their file within the split."""
    sizes: Counter[str] = Counter()
    numbers: Counter[str] = Counter()
    for sample in samples(source, options.crops, options.extras):
        split = sample.split
        if sizes[split] >= options.shard_bytes:
            sizes[split] = 0
            numbers[split] += 1
        sizes[split] += sample.size_bytes()
        yield numbers[split], sample


@contextmanager
def one_file_per_split(opened: Callable[[str, int], AbstractContextManager[Put]]):
    """opened(split, number): a file, as a function that adds a sample to it
    yields: put(number, sample)
    """
    shelves: dict[str, tuple[ExitStack, int, Put]] = {}
    with ExitStack() as stack:

        def put(number: int, sample: Sample) -> None:
            shelf = shelves.get(sample.split)
            if shelf is None or shelf[1] != number:
                files = shelf[0] if shelf else stack.enter_context(ExitStack())
                files.close()
                shelf = (files, number, files.enter_context(opened(sample.split, number)))
                shelves[sample.split] = shelf
            shelf[2](sample)

        yield put
