"""Resources: find the files shipped with blendgen: assets/, configs/ and scenes/.

In a checkout these are folders at the top; in an installed wheel they are inside the package.
"""

from __future__ import annotations

from pathlib import Path

from blendgen.errors import SetupError

_PACKAGE = Path(__file__).resolve().parent.parent


def resource_folder(name: str) -> Path:
    """The folder `name` ("assets/phones", "configs/render", ...); raises SetupError if it is missing."""
    for folder in (_PACKAGE / "_resources" / name, _PACKAGE.parent / name):
        if folder.is_dir():
            return folder
    raise SetupError(f"the installation is incomplete: folder {name!r} is missing; reinstall blendgen")
