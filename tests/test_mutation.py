from enum import StrEnum
from types import SimpleNamespace

import pytest

from tests import mutation


class Outcome(StrEnum):
    """As in cosmic_ray.work_item."""

    NORMAL = "normal"
    EXCEPTION = "exception"
    ABNORMAL = "abnormal"
    SKIPPED = "skipped"


def result(outcome, is_killed=True, diff=""):
    return SimpleNamespace(worker_outcome=outcome, is_killed=is_killed, diff=diff)


def test_a_report_counts_and_shows_every_mutant_that_was_not_killed():
    results = [
        *[result(Outcome.NORMAL)] * 3,
        result(Outcome.NORMAL, False, "- a\n+ b"),
        result(Outcome.EXCEPTION, diff="- c\n+ d"),
        result(Outcome.ABNORMAL, diff="- e\n+ f"),
        result(Outcome.SKIPPED),
    ]
    assert mutation.report("m.py", results).splitlines() == [
        *("survived:", "- a", "+ b"),
        *("not tested (exception):", "- c", "+ d"),
        *("not tested (abnormal):", "- e", "+ f"),
        "m.py: 6 mutants, 3 killed, 1 survived, 1 not tested (abnormal), 1 not tested (exception)",
    ]
    assert mutation.report("m.py", results[:3]) == "m.py: 3 mutants, 3 killed, 0 survived"


@pytest.mark.parametrize(
    ("module", "tests"),
    [
        ("blendgen/draw/pile.py", "tests/draw/test_pile.py"),
        ("blendgen/draw/framing.py", "tests/draw"),
        ("blendgen/annotate.py", "tests/test_annotate.py"),
    ],
)
def test_a_module_is_tested_by_the_file_of_its_name_or_by_those_of_its_package(module, tests):
    assert mutation.tests_of(module) == tests
