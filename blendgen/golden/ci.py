"""CI: which continuous integration runs this process, as its environment states it."""

from __future__ import annotations

from collections.abc import Mapping

from blendgen.errors import UsageError

_VARIABLES = ("CI", "GITHUB_ACTIONS", "GITLAB_CI")
_OFF = ("", "0", "false", "no", "off")


def in_ci(environment: Mapping[str, str]) -> str:
    """The variable that says so; "" outside of CI."""
    set_ones = [name for name in _VARIABLES if environment.get(name, "").lower() not in _OFF]
    return set_ones[0] if set_ones else ""


def is_github(environment: Mapping[str, str]) -> bool:
    return environment.get("GITHUB_ACTIONS", "").lower() not in _OFF


def refuse_update(environment: Mapping[str, str]) -> None:
    """Raises UsageError in CI: golden files that a job writes are looked at by nobody."""
    variable = in_ci(environment)
    if variable:
        raise UsageError(
            f"--update: not in CI ({variable} is set), where nobody looks at the new golden files; run it on "
            "your machine, look at them, and commit them"
        )
