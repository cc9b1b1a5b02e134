"""File frame: transforms between the axes and the unit of a model file and the product frame.

If there is no file, the two are the same, in metres.
"""

from __future__ import annotations

import numpy as np

from blendgen.models.product import Product, StablePose

_NAMED_WITHIN_DEG = 10.0


class FileFrame:
    """The frame of one product's model file."""

    def __init__(self, product: Product):
        file_to_product = product.measured.file_to_product
        self._file_to_product = np.eye(4) if file_to_product is None else np.array(file_to_product)
        self._product_to_file = np.linalg.inv(self._file_to_product)

    def point_m(self, at) -> np.ndarray:
        """(3,) metres in the product frame of a point in the file's unit."""
        return self._file_to_product[:3, :3] @ np.asarray(at) + self._file_to_product[:3, 3]

    def to_file(self, point_m) -> np.ndarray:
        """(3,) in the file's axes and unit of a point in the product frame."""
        return self._product_to_file[:3, :3] @ np.asarray(point_m) + self._product_to_file[:3, 3]

    def direction(self, axis) -> np.ndarray:
        """(3,) unit vector in the product frame of one in the file's axes."""
        return _unit(self._file_to_product[:3, :3] @ np.asarray(axis))

    def up_of(self, pose: StablePose) -> np.ndarray:
        """(3,) unit vector in the file's axes that points up in a stable pose."""
        return _unit(self._product_to_file[:3, :3] @ np.array(pose.rotation)[2])

    def up_name(self, pose: StablePose) -> str:
        """ "+z" or the like if an axis is nearly upright, otherwise the direction."""
        up = self.up_of(pose)
        main = int(np.abs(up).argmax())
        if abs(up[main]) >= np.cos(np.radians(_NAMED_WITHIN_DEG)):
            return f"{'-' if up[main] < 0 else '+'}{'xyz'[main]}"
        return "[" + ", ".join(f"{x:.2f}" for x in up + 0.0) + "]"


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)
