"""A case: hostile files in a folder of their own, the commands that read them, and the allowed results."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from blendgen.errors import ExitCode

REFUSED, SURVIVES, HARMLESS = "refused", "survives", "harmless"
# exit codes of a refusal: a wrong call, spec or data set; 1 only if a case says so
REFUSALS = (2, 3, 5)
CODES = tuple(map(int, ExitCode))


@dataclass(frozen=True)
class Command:
    """args: of blendgen; expect: `refused`, `survives` (exit code 0), or `harmless`: either of them.

    says: pattern that the messages of a refusal must match
    unsaid: bytes that no message and no file may contain
    variables: of the environment
    """

    args: tuple[str, ...]
    expect: str = HARMLESS
    codes: tuple[int, ...] = REFUSALS
    says: str = r"\S"
    unsaid: tuple[bytes, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()
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
    """The folder of one case. Commands may only read `given`, and write `out`, `cache` and `tmp`.

    writable: further paths that a command may write, such as a destination inside `given`
    readable: further paths that it may read
    ports: of this machine that it may connect to; at_end: what is called when the case is over
    short: whether a few formats are enough
    protected: files, and folders with their content, that must stay unchanged although a command may
        write there
    """

    root: Path
    token: str
    stock: Path
    writable: list[Path] = field(default_factory=list)
    readable: list[Path] = field(default_factory=list)
    protected: list[Path] = field(default_factory=list)
    ports: list[int] = field(default_factory=list)
    at_end: list[Callable[[], None]] = field(default_factory=list)
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
    """make: writes the files and returns the commands, which run one after the other."""

    name: str
    make: Callable[[Place], list[Command]]
    short: bool = False
