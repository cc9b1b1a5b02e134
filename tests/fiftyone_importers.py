"""`fiftyone` without its database, for the recipe of docs/training.md: importers read what it would store.

In: the arguments of `Dataset.add_dir`. Out: what the importer returns, counted when the app would start.
MongoDB, which FiftyOne needs for a Dataset, is not in a package index.
"""

from __future__ import annotations

from collections import Counter

import fiftyone


class Dataset:
    def __init__(self, name: str) -> None:
        self.counts: Counter[str] = Counter()

    def add_dir(self, dataset_type: type, tags: str, **options: object) -> None:
        """As FiftyOne's: rejects options that the importer of the type does not know."""
        importer = dataset_type().get_dataset_importer_cls()(**options)
        with importer:
            for _, _, labels in importer:
                self.counts[tags] += 1
                detections = labels["segmentations"].detections
                self.counts.update(f"{one.label} {'mask' if one.mask.any() else ''}" for one in detections)
                self.counts["boxes"] += len(labels["detections"].detections)


def launch_app(data: Dataset) -> None:
    print(sorted(data.counts.items()))


fiftyone.Dataset, fiftyone.launch_app = Dataset, launch_app
