"""Unreadable: a file that cannot be read as a spec, as an error that says what to give instead."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from blendgen.errors import Problem, SpecError, UsageError, did_you_mean

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def not_read(path: Path, reason: str) -> UsageError:
    """The error for a file that cannot be opened."""
    return UsageError(f"{path}: {reason}{', but a folder' if _is_folder(path) else ''}{_way_out(path)}")


def not_text(path: Path, data: bytes) -> SpecError:
    """The error for a file that is not UTF-8."""
    if data.startswith(_UTF16):
        message = "not a UTF-8 text file, but UTF-16; save it as UTF-8"
    else:
        message = "not a UTF-8 text file; a spec is a YAML file, which names the folder of the models"
    return SpecError([Problem(str(path), 0, 0, "", message)])


def _way_out(path: Path) -> str:
    text = str(path)
    if text == "-":
        return "; a spec is not read from stdin, as the folders in it are relative to its own"
    if re.search(r"[*?\[]", text):
        return "; no file matches"
    if text.startswith("~") or "$" in text:
        return "; ~ and variables are replaced by the shell, but not in quotes"
    is_folder = _is_folder(path)
    known = _yaml_files(path if is_folder else path.parent)
    if not known:
        return "; give the YAML file of a scene"
    if is_folder:
        return f"; name a spec in it, such as {path / min(known)}"
    return did_you_mean(path.name, known)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):  # not a path, such as one with a null byte
        return False


def _yaml_files(folder: Path) -> list[str]:
    try:
        return [one.name for one in folder.iterdir() if one.suffix in (".yaml", ".yml")]
    except (OSError, ValueError):
        return []
