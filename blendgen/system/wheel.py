"""The installed bpy wheel as a folder: its version and the files in it, without importing it.

The wheel carries Open Image Denoise, OpenColorIO with Blender's configuration, and eight CC0
environments; importing bpy costs 0.6 s and 260 MB, so whoever needs only a file asks here.
Also names the system libraries that bpy loads, and the line that installs them.
"""

from __future__ import annotations

import ctypes
import importlib.metadata
import importlib.util
import sys
from functools import cache
from pathlib import Path

from blendgen.errors import SetupError

# soname -> Debian and Ubuntu package, in the order in which the loader asks for them
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
    """Version of the installed bpy, such as "4.5.15"; raises SetupError where there is none."""
    try:
        return importlib.metadata.version("bpy")
    except importlib.metadata.PackageNotFoundError:
        raise SetupError(missing_bpy_message()) from None


def missing_bpy_message() -> str:
    """What to do on this Python to get Blender."""
    wheels = {(3, 11): "bpy==4.5.*", (3, 13): "bpy==5.2.*"}
    running = ".".join(map(str, sys.version_info[:2]))
    if sys.version_info[:2] in wheels:
        wanted = wheels[sys.version_info[:2]]
        return f"Blender is not installed for this Python; install it: python -m pip install '{wanted}'"
    return (
        f"Blender exists as a Python package for 3.11 and 3.13 only, this is Python {running}; "
        "make the environment anew with: python3.13 -m venv .venv"
    )


@cache
def wheel_folder() -> Path:
    """The folder of the bpy package; raises SetupError where there is none."""
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


def environment_image(name: str) -> Path:
    """The HDR image of one of vocabulary.ENVIRONMENTS."""
    return datafiles() / "studiolights" / "world" / f"{name}.exr"


def denoiser_library() -> Path:
    """Open Image Denoise as a shared library; raises SetupError where the wheel has none."""
    names = ("libOpenImageDenoise.so.2", "OpenImageDenoise.dll", "libOpenImageDenoise.2.dylib")
    for name in names:
        found = sorted(wheel_folder().glob(f"**/{name}"))
        if found:
            return found[0]
    raise SetupError(f"Open Image Denoise was not found in {wheel_folder()}; reinstall bpy")


def bundled_packages() -> Path:
    """The site-packages inside the wheel (PyOpenColorIO and others), off sys.path by default."""
    found = sorted(_resources().glob("python/lib/python*/site-packages"))
    found += sorted(_resources().glob("python/lib/site-packages"))
    if not found:
        raise SetupError(f"the bpy installation in {wheel_folder()} is incomplete; reinstall bpy")
    return found[0]


def missing_libraries() -> list[str]:
    """Sonames of SYSTEM_LIBRARIES that the loader does not find (none outside Linux)."""
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
    """The command that installs the packages of some sonames."""
    packages = sorted({SYSTEM_LIBRARIES[soname] for soname in sonames})
    return "sudo apt-get install -y --no-install-recommends " + " ".join(packages)


def require_libraries() -> None:
    """Raises SetupError with the apt line where a library that Cycles needs is missing."""
    missing = [soname for soname in missing_libraries() if soname != "libEGL.so.1"]
    if missing:
        raise SetupError(
            f"Blender needs system libraries that are missing ({', '.join(missing)}); "
            f"install them:\n  {apt_line(missing)}"
        )
