"""Wheel: version and files of the installed bpy wheel, without importing it.

The wheel contains Open Image Denoise, OpenColorIO with Blender's configuration, and eight CC0
environments. Importing bpy takes 0.6 s and 260 MB; code that needs only a file finds it here.
Also lists the system libraries that bpy loads, and the command that installs them.
"""

from __future__ import annotations

import ctypes
import importlib.metadata
import importlib.util
import sys
from functools import cache
from pathlib import Path

from blendgen.errors import SetupError

# soname -> Debian and Ubuntu package, in the order in which the loader loads them
SYSTEM_LIBRARIES = {
    "libX11.so.6": "libx11-6",
    "libXrender.so.1": "libxrender1",
    "libXfixes.so.3": "libxfixes3",
    "libXi.so.6": "libxi6",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libSM.so.6": "libsm6",
    "libICE.so.6": "libice6",
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
}


def blender_version() -> str:
    """Version of the installed bpy, such as "4.5.15"; raises SetupError if it is not installed."""
    try:
        return importlib.metadata.version("bpy")
    except importlib.metadata.PackageNotFoundError:
        raise SetupError(missing_bpy_message()) from None


def missing_bpy_message() -> str:
    """How to install Blender for this Python."""
    wheels = {(3, 11): "bpy==4.5.*", (3, 13): "bpy==5.2.*"}
    running = ".".join(map(str, sys.version_info[:2]))
    if sys.version_info[:2] in wheels:
        wheel = wheels[sys.version_info[:2]]
        return f"Blender is not installed for this Python; install it: python -m pip install '{wheel}'"
    return (
        f"Blender is available as a package for Python 3.11 and 3.13 only, and this is Python {running}; "
        "create the environment again with: python3.13 -m venv .venv"
    )


@cache
def wheel_folder() -> Path:
    """The folder of the bpy package; raises SetupError if it is not installed."""
    specification = importlib.util.find_spec("bpy")
    if specification is None or specification.origin is None:
        raise SetupError(missing_bpy_message())
    return Path(specification.origin).parent


@cache
def _resources() -> Path:
    folders = [folder for folder in wheel_folder().glob("[0-9]*.[0-9]*") if folder.is_dir()]
    if not folders:
        raise SetupError(f"the bpy installation in {wheel_folder()} is incomplete; reinstall bpy")
    return folders[0]


def datafiles() -> Path:
    """Blender's data files: colour management, studio lights."""
    return _resources() / "datafiles"


def environment_image(panorama: str) -> Path:
    """One of Blender's own panoramas, by its file name."""
    return datafiles() / "studiolights" / "world" / panorama


def denoiser_library() -> Path:
    """Open Image Denoise as a shared library; raises SetupError if the wheel has none."""
    names = ("libOpenImageDenoise.so.2", "OpenImageDenoise.dll", "libOpenImageDenoise.2.dylib")
    for name in names:
        libraries = sorted(wheel_folder().glob(f"**/{name}"))
        if libraries:
            return libraries[0]
    raise SetupError(f"Open Image Denoise is missing in {wheel_folder()}; reinstall bpy")


def bundled_packages() -> Path:
    """The site-packages inside the wheel (PyOpenColorIO and others), which are not on sys.path."""
    folders = sorted(_resources().glob("python/lib/python*/site-packages"))
    folders += sorted(_resources().glob("python/lib/site-packages"))
    if not folders:
        raise SetupError(f"the bpy installation in {wheel_folder()} is incomplete; reinstall bpy")
    return folders[0]


def missing_libraries() -> list[str]:
    """Sonames of SYSTEM_LIBRARIES that cannot be loaded (empty on other systems than Linux)."""
    if not sys.platform.startswith("linux"):
        return []
    return [soname for soname in SYSTEM_LIBRARIES if not _loads(soname)]


def _loads(soname: str) -> bool:
    try:
        ctypes.CDLL(soname)
    except OSError:
        return False
    return True


def apt_line(sonames: list[str]) -> str:
    """The command that installs the packages of these sonames."""
    packages = sorted({SYSTEM_LIBRARIES[soname] for soname in sonames})
    return "sudo apt-get install -y --no-install-recommends " + " ".join(packages)


def require_libraries() -> None:
    """Raise SetupError with the apt command if a library that Cycles needs is missing."""
    missing = [soname for soname in missing_libraries() if soname != "libEGL.so.1"]
    if missing:
        raise SetupError(
            f"system libraries that Blender needs are missing ({', '.join(missing)}); "
            f"install them:\n  {apt_line(missing)}"
        )
