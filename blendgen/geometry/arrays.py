"""Names of the arrays in public signatures: a noun, the shape and, where it matters, the type of the numbers.

H and W are the height and the width of an image, N and M are any number. NumPy's own types hold the type of
the numbers, not the shape. Functions that take anything that NumPy can read as an array say `ArrayLike`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

AnyArray = NDArray[Any]
FloatArray = NDArray[np.float64]  # of any shape

Array2 = NDArray[np.float64]
Array3 = NDArray[np.float64]
ArrayN = NDArray[np.float64]
PointsN2 = NDArray[np.float64]
PointsN3 = NDArray[np.float64]
Matrix3x3 = NDArray[np.float64]
Matrix4x4 = NDArray[np.float64]
RaysHW3 = NDArray[np.float64]
TrianglesM3 = NDArray[np.integer[Any]]
IntegersN = NDArray[np.integer[Any]]
MaskN = NDArray[np.bool_]

IntegersHW = NDArray[np.integer[Any]]
MaskHW = NDArray[np.bool_]
IdsHW = NDArray[np.unsignedinteger[Any]]  # uint8 or uint16
ImageHWF32 = NDArray[np.float32]
ImageHW3F32 = NDArray[np.float32]
ImageHW3U8 = NDArray[np.uint8]
