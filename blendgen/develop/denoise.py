"""Denoise: Open Image Denoise from the bpy wheel, called through ctypes; bpy itself is not imported.

In: noisy scene-linear radiance, and the albedo and normal guides of the same render. Out: denoised
radiance. The guides are not filtered before (Cycles' prefilter FAST); quality is high. A call releases the
GIL, and its result depends neither on the number of threads nor on the memory that it may use.
"""

from __future__ import annotations

import ctypes
from ctypes import POINTER, byref, c_bool, c_char_p, c_int, c_size_t, c_void_p

import numpy as np

from blendgen.errors import BlendgenError, SetupError
from blendgen.system.wheel import denoiser_library

_CPU_DEVICE = 1
_FLOAT3 = 3
_QUALITY_HIGH = 6
MAX_MEMORY_MB = 1000
_SIGNATURES = {
    "oidnNewDevice": (c_void_p, [c_int]),
    "oidnNewFilter": (c_void_p, [c_void_p, c_char_p]),
    "oidnSetDeviceInt": (None, [c_void_p, c_char_p, c_int]),
    "oidnSetDeviceBool": (None, [c_void_p, c_char_p, c_bool]),
    "oidnCommitDevice": (None, [c_void_p]),
    "oidnSetSharedFilterImage": (None, [c_void_p, c_char_p, c_void_p, c_int] + [c_size_t] * 5),
    "oidnSetFilterBool": (None, [c_void_p, c_char_p, c_bool]),
    "oidnSetFilterInt": (None, [c_void_p, c_char_p, c_int]),
    "oidnCommitFilter": (None, [c_void_p]),
    "oidnExecuteFilter": (None, [c_void_p]),
    "oidnReleaseFilter": (None, [c_void_p]),
    "oidnReleaseDevice": (None, [c_void_p]),
    "oidnGetDeviceError": (c_int, [c_void_p, POINTER(c_char_p)]),
}


class Denoiser:
    """A denoising device of this process. It is expensive to create: make one per process.

    max_memory_mb: about what a call uses at most, besides its images; larger images are denoised in
        overlapping tiles, with the same result. 1.7 megapixels take 1000 MB
    """

    def __init__(self, threads: int = 1, max_memory_mb: int = MAX_MEMORY_MB):
        self._max_memory_mb = max_memory_mb
        try:
            self._library = ctypes.CDLL(str(denoiser_library()))
        except OSError as error:
            raise SetupError(f"Open Image Denoise cannot be loaded: {error}") from None
        for name, (result, arguments) in _SIGNATURES.items():
            function = getattr(self._library, name)
            function.restype, function.argtypes = result, arguments
        self._device = self._library.oidnNewDevice(_CPU_DEVICE)
        self._library.oidnSetDeviceInt(self._device, b"numThreads", threads)
        self._library.oidnSetDeviceBool(self._device, b"setAffinity", False)
        self._library.oidnCommitDevice(self._device)

    def __call__(self, radiance_linear, albedo_linear, normal_world) -> np.ndarray:
        """Denoised radiance; all three and the result are (h, w, 3) float32."""
        images = {
            b"color": np.ascontiguousarray(radiance_linear, np.float32),
            b"albedo": np.ascontiguousarray(albedo_linear, np.float32),
            b"normal": np.ascontiguousarray(normal_world, np.float32),
            b"output": np.empty(radiance_linear.shape, np.float32),
        }
        library = self._library
        height, width = radiance_linear.shape[:2]
        ray_tracing = library.oidnNewFilter(self._device, b"RT")
        for name, image in images.items():
            library.oidnSetSharedFilterImage(
                ray_tracing, name, image.ctypes.data, _FLOAT3, width, height, 0, 0, 0
            )
        library.oidnSetFilterBool(ray_tracing, b"hdr", True)
        library.oidnSetFilterBool(ray_tracing, b"cleanAux", False)
        library.oidnSetFilterInt(ray_tracing, b"quality", _QUALITY_HIGH)
        library.oidnSetFilterInt(ray_tracing, b"maxMemoryMB", self._max_memory_mb)
        library.oidnCommitFilter(ray_tracing)
        library.oidnExecuteFilter(ray_tracing)
        library.oidnReleaseFilter(ray_tracing)
        self._raise_error()
        return images[b"output"]

    def _raise_error(self) -> None:
        message = c_char_p()
        if self._library.oidnGetDeviceError(self._device, byref(message)):
            text = (message.value or b"").decode(errors="replace")
            raise BlendgenError(f"denoising failed: {text}")
