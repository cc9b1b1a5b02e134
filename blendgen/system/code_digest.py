"""Code digest: the key of a cache whose entries depend on our own code.

In: the name of one of our modules. Out: a digest of its source and of the source of each of our modules that
it may import, at the top of a file or inside a function. Nothing is imported: import statements are matched
in the text, which takes milliseconds. A package with a loop over pkgutil.iter_modules(__path__) imports all
of its modules. blendgen/__init__.py does not count: it only re-exports, and its version would change every
digest with each release.
"""

from __future__ import annotations

import hashlib
import os
import re
from functools import cache
from pathlib import Path

from blendgen.errors import SetupError

_PACKAGE = Path(__file__).resolve().parent.parent
_IMPORT = re.compile(
    rb"^[ \t]*(?:from +(blendgen[\w.]*) +import +(\([^)]*\)|[^\n]*)|import +(blendgen[\w.]*))",
    re.MULTILINE,
)
_LOOP = b"in pkgutil.iter_modules(__path__)"
_COMMENT = re.compile(rb"#[^\n]*")
_NAME = re.compile(rb"\w+")


def code_digest(module: str) -> str:
    """Hex sha256 over the names and the source of the modules in import_closure(module)."""
    facts = "".join(f"{name} {_source(name)[0]}\n" for name in sorted(import_closure(module)))
    return hashlib.sha256(facts.encode()).hexdigest()


@cache
def import_closure(module: str) -> frozenset[str]:
    """The names of a module and of all modules and packages of blendgen that it may import.

    raises: SetupError where the module has no source file
    """
    if module not in _files():
        raise SetupError(f"the installation is incomplete: {module} has no source file; reinstall blendgen")
    closure: set[str] = set()
    waiting = {module}
    while waiting:
        name = waiting.pop()
        closure.add(name)
        package = name.rpartition(".")[0]
        waiting |= (_source(name)[1] | ({package} & _files().keys())) - closure
    return frozenset(closure)


@cache
def _files() -> dict[str, str]:
    """Module or package name -> its source file, without that of blendgen itself."""
    files = {}
    for folder, folders, names in os.walk(_PACKAGE):
        folders[:] = [name for name in folders if not name.startswith(("_", "."))]
        package = _PACKAGE.name + folder[len(str(_PACKAGE)) :].replace(os.sep, ".")
        for name in names:
            if name == "__init__.py":
                files[package] = f"{folder}/{name}"
            elif name.endswith(".py"):
                files[f"{package}.{name[:-3]}"] = f"{folder}/{name}"
    del files[_PACKAGE.name]
    return files


@cache
def _source(module: str) -> tuple[str, frozenset[str]]:
    """The digest of a module's source, and the modules that it imports."""
    text = Path(_files()[module]).read_bytes()
    imports = _imported(text) & _files().keys()
    if _LOOP in text:
        imports |= {name for name in _files() if name.startswith(f"{module}.")}
    return hashlib.sha256(text).hexdigest(), frozenset(imports)


def _imported(text: bytes) -> set[str]:
    """All modules that may be named in import statements, and all names imported from them."""
    names: set[str] = set()
    for match in _IMPORT.finditer(text):
        module = (match[1] or match[3]).decode()
        parts = _NAME.findall(_COMMENT.sub(b"", match[2] or b""))
        names |= {module, *(f"{module}.{part.decode()}" for part in parts)}
    return names
