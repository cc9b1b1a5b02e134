"""A case: hostile files in a folder of their own, the commands that meet them, and what may come of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

REFUSED, SURVIVES, HARMLESS = "refused", "survives", "harmless"
# what a refusal may exit with: a wrong call, spec or data set; 1 only where a case says so
REFUSALS = (2, 3, 5)
CODES = (0, 1, 2, 3, 4, 5, 129, 130, 143)


@dataclass(frozen=True)
class Command:
    """args: of blendgen. expect: `refused`, `survives` (exit code 0), or `harmless`: either of them.

    says: what the messages of a refusal must match
    unsaid: what no message and no file may hold
    """

    args: tuple[str, ...]
    expect: str = HARMLESS
    codes: tuple[int, ...] = REFUSALS
    says: str = r"\S"
    unsaid: tuple[bytes, ...] = ()
    memory_mb: int = 1000
    seconds: float = 45.0
    cwd: Path | None = None

    @property
    def shown(self) -> str:
        return " ".join(Path(arg).name if "/" in arg else arg for arg in self.args)[:60]


def refused(*args: object, **limits) -> Command:
    return Command(tuple(map(str, args)), REFUSED, **limits)


def survives(*args: object, **limits) -> Command:
    return Command(tuple(map(str, args)), SURVIVES, **limits)


def harmless(*args: object, **limits) -> Command:
    return Command(tuple(map(str, args)), HARMLESS, **limits)


@dataclass
class Place:
    """The folder of one case. Commands may read `given` and write `out`, `cache` and `tmp`; nothing else.

    writable: further paths that a command may fill, such as a destination inside of what is given
    readable: further paths that it may read
    short: whether few formats will do
    kept: files, and folders with all that is in them, that must stay as they are although a command may
        write there
    """

    root: Path
    token: str
    stock: Path
    writable: list[Path] = field(default_factory=list)
    readable: list[Path] = field(default_factory=list)
    kept: list[Path] = field(default_factory=list)
    short: bool = False

    def __getattr__(self, name: str) -> Path:
        if name in ("given", "out", "cache", "tmp", "home", "secret", "victim"):
            return self.root / name
        raise AttributeError(name)

    @property
    def may_write(self) -> list[Path]:
        return [self.out, self.cache, self.tmp, *self.writable]

    @property
    def may_read(self) -> list[Path]:
        return [self.given, self.home, *self.may_write, *self.readable]


@dataclass(frozen=True)
class Case:
    """make: writes the files and tells the commands, which run one after the other."""

    name: str
    make: Callable[[Place], list[Command]]
    short: bool = False
