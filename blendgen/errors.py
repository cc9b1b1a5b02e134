"""The exceptions of blendgen as a tree; every failure that a user can meet is one of these.

BlendgenError            1  rendering or another step failed
|- UsageError            2  the command was called wrongly
|- SpecError             3  the spec file is not valid (carries every Problem at once)
|- GeometryError         3  a sampled arrangement is not possible (a point behind the camera, ...)
|  |- InfeasibleDraw        one draw of a shot has no solution; the shot is drawn again
|  `- InfeasibleShot        every draw of a shot is infeasible; a run records its images as failed
|- CatalogError          3  a model folder or family cannot be used
|  `- LostLookError      6  with --strict: a model would be rendered without part of its look
|- OutOfMemory           8  memory ran out; with more of it the same command continues
|- TimeLimitReached     75  the time limit of a run is reached; the same command continues
|- SetupError            4  Blender, a system library or a device is missing
|- DatasetError          5  a data set on disk is damaged, is another one, or cannot be written
|  `- DiskUnavailable   75  the disk is full, or a network folder does not answer: try again later
KeyboardInterrupt
`- Interrupted          75  stopped by a signal that announces an end; finished images are recorded
              129/130/143   the same by SIGHUP, SIGINT, SIGTERM

The numbers are the exit codes: part of the interface, listed in docs/exit-codes.md. A run that finished,
except for images that cannot be made, raises nothing and ends with 7; nor does a smoke run without golden
files, which ends with 9.
`system/exit_code.py` is the one place that turns an exception into an exit code.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from blendgen.similar import closest


class ExitCode(IntEnum):
    OK = 0
    FAILED = 1
    USAGE = 2
    SPEC = 3
    SETUP = 4
    DATASET = 5
    LOST_LOOK = 6
    INCOMPLETE = 7
    OUT_OF_MEMORY = 8
    NO_GOLDEN = 9
    RETRY = 75  # EX_TEMPFAIL of sysexits.h
    SIGHUP = 129
    SIGINT = 130
    SIGTERM = 143


class BlendgenError(Exception):
    """A failure that the user can act on; its message is one or a few plain lines."""

    exit_code = ExitCode.FAILED


class UsageError(BlendgenError):
    exit_code = ExitCode.USAGE


@dataclass(frozen=True)
class Problem:
    """One problem of a spec file.

    file: path as given by the user, or "--set" for an override
    line, column: 1-based; 0 if the problem is not in a file
    field: dotted path such as camera.distance_m, "" for the whole file
    """

    file: str
    line: int
    column: int
    field: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{place}: {self.field}: {self.message}" if self.field else f"{place}: {self.message}"


class SpecError(BlendgenError):
    """All problems of a spec, in the order of the file."""

    exit_code = ExitCode.SPEC

    def __init__(self, problems: list[Problem]):
        self.problems = sorted(problems, key=lambda p: (p.file, p.line, p.column))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class Reason(StrEnum):
    """Why an image cannot be made; docs/dataset.md lists what helps."""

    CAMERA_BELOW_SURFACE = "camera_below_surface"
    CAMERA_IN_PRODUCTS = "camera_in_products"
    PRODUCTS_OUT_OF_FRAME = "products_out_of_frame"
    PRODUCTS_OFF_SURFACE = "products_off_surface"
    LENS_FOLDS = "lens_folds"
    LENS_TOO_WIDE = "lens_too_wide"
    PILE_UNSETTLED = "pile_unsettled"
    SUBJECT_INVISIBLE = "subject_invisible"
    SUBJECT_VISIBILITY = "subject_visibility"
    PRODUCTS_IN_LINE = "products_in_line"
    OTHER = "other"
    RENDER_FAILED = "render_failed"
    BLENDER_CRASHED = "blender_crashed"
    RUN_KILLED = "run_killed"


# not decided by the spec, the seed and the index alone: a run that tries again may succeed
PASSING_REASONS = frozenset({Reason.RENDER_FAILED, Reason.BLENDER_CRASHED, Reason.RUN_KILLED})


class GeometryError(BlendgenError):
    exit_code = ExitCode.SPEC
    reason = Reason.OTHER


class InfeasibleDraw(GeometryError):
    """The values drawn for a shot do not go together; another attempt may succeed.

    reason: the same for all draws that fail in the same way, whatever their numbers
    permanent: no further attempt can differ
    """

    def __init__(self, reason: Reason, message: str, permanent: bool = False):
        super().__init__(reason, message, permanent)
        self.reason, self.message, self.permanent = reason, message, permanent

    def __str__(self) -> str:
        return self.message


class InfeasibleShot(GeometryError):
    """Every attempt at a shot failed; no further attempt is made.

    faults: the error of each attempt, in order; reason: the most frequent one
    """

    def __init__(self, shot_index: int, faults: tuple[GeometryError, ...]):
        super().__init__(shot_index, faults)
        self.shot_index, self.faults = shot_index, faults
        reasons = [fault.reason for fault in faults]
        self.reason = max(reasons, key=reasons.count)

    @property
    def fault(self) -> GeometryError:
        """The last error with the most frequent reason."""
        return next(fault for fault in reversed(self.faults) if fault.reason == self.reason)

    def __str__(self) -> str:
        attempts = "its attempt" if len(self.faults) == 1 else f"all {len(self.faults)} attempts"
        return f"shot {self.shot_index}: {attempts} failed: {self.fault}"


class CatalogError(BlendgenError):
    exit_code = ExitCode.SPEC


class LostLookError(CatalogError):
    exit_code = ExitCode.LOST_LOOK


class SetupError(BlendgenError):
    """Blender, a system library or a device is missing on this machine."""

    exit_code = ExitCode.SETUP


class DatasetError(BlendgenError):
    exit_code = ExitCode.DATASET


class DiskUnavailable(DatasetError):
    """The disk is full, or a network folder does not answer; the same command continues later."""

    exit_code = ExitCode.RETRY


class FilesLost(DatasetError):
    """Files of finished images were changed or removed during a run; the same command makes them again."""

    exit_code = ExitCode.RETRY


class OutOfMemory(BlendgenError):
    """Memory ran out; with more of it the same command continues."""

    exit_code = ExitCode.OUT_OF_MEMORY


class TimeLimitReached(BlendgenError):
    """A run has stopped in time, after all finished images were recorded; the same command continues."""

    exit_code = ExitCode.RETRY


class Interrupted(KeyboardInterrupt):
    """Stopped by the signal `signum`, after all finished images were recorded.

    It is not an error: `except Exception` does not catch it.
    """

    def __init__(self, signum: int, message: str):
        self.signum, self.exit_code = signum, signal_code(signum)
        super().__init__(message)


def signal_code(signum: int) -> ExitCode:
    """The exit code after a stop signal: of its own, or RETRY for one that announces an end."""
    return ExitCode(128 + signum) if 128 + signum in {*ExitCode} else ExitCode.RETRY


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """'; did you mean X?' or, if no known word is similar, '; known: a, b, c'."""
    known = sorted(str(name) for name in known)
    if nearest := closest(str(word), known):
        return f"; did you mean {nearest}?"
    names = ", ".join(known[:12]) + (", ..." if len(known) > 12 else "")
    return f"; known: {names}" if known else ""
