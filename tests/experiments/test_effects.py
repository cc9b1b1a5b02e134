"""Effects that were put into simulated predictions are named; where there is none, none is."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from blendgen.experiments.anova import holm, split_plot
from blendgen.experiments.changes import changes
from blendgen.experiments.effects import Predictions, Verdict, effects
from blendgen.experiments.factorial import bits_for, factorial
from blendgen.experiments.factors import factors
from blendgen.spec.distributions import Choice, Uniform
from blendgen.streams import stream

PARAMETERS = {
    "surface.kind": Choice.even(("paper", "cardboard", "belt_rubber")),
    **{f"exposure.number_{number}": Uniform(0, 1) for number in range(20)},
    "camera.elevation_deg": Uniform(40, 80),
}
FACTORS = factors(PARAMETERS)
SURFACE, ELEVATION = 0, len(FACTORS) - 1


def simulated(seed, surface=0.0, elevation=0.0, classes=3, shots=12, noise=1.0, skill=1.5) -> Predictions:
    """surface: how much each class gains on its own surface; elevation: how much the right class loses

    Shots differ, and react in their own way to each parameter, as real ones do.
    """
    random = stream(seed, 0, 0, "test")
    counts = [len(one.levels) for one in FACTORS]
    bits = bits_for(counts)
    parts = []
    for shot in range(shots):
        label, levels = shot % classes, factorial(counts, bits, seed, shot)
        scores = random.normal(0, noise, (len(levels), classes)) + random.normal(0, noise, classes)
        for number, count in enumerate(counts):
            scores += random.normal(0, 0.3, (count, classes))[levels[:, number]]
        scores[:, label] += skill
        for other in range(classes):
            scores[:, other] += surface * (levels[:, SURFACE] == other)
        scores[:, label] -= elevation * (levels[:, ELEVATION] == 1)
        parts.append((np.full(len(levels), shot), np.full(len(levels), label), levels, scores))
    shot_of, labels, levels, scores = (np.concatenate(own) for own in zip(*parts, strict=True))
    right = scores[np.arange(len(labels)), labels]
    others = np.where(np.eye(classes, dtype=bool)[labels], -np.inf, scores)
    odds = right - np.log(np.exp(others).sum(axis=1))
    return Predictions(shot_of, labels, scores.argmax(axis=1), levels, odds)


def verdicts(predictions) -> dict[str, Verdict]:
    measures = effects(predictions, FACTORS, 3)
    return {
        one.factor.name: one.verdict for one in measures if one.verdict in (Verdict.SHORTCUT, Verdict.BLIND)
    }


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("skill", [0.0, 1.5, 4.0])
def test_where_there_is_no_effect_none_is_named(seed, skill):
    assert verdicts(simulated(seed, skill=skill)) == {}


@pytest.mark.parametrize("seed", range(3))
def test_a_shortcut_is_named_as_one(seed):
    assert verdicts(simulated(seed, surface=4)) == {"surface.kind": Verdict.SHORTCUT}


@pytest.mark.parametrize("seed", range(3))
def test_a_blind_spot_is_not_a_shortcut(seed):
    assert verdicts(simulated(seed, elevation=3)) == {"camera.elevation_deg": Verdict.BLIND}


def test_both_are_found_next_to_each_other():
    assert verdicts(simulated(1, surface=4, elevation=3)) == {
        "surface.kind": Verdict.SHORTCUT,
        "camera.elevation_deg": Verdict.BLIND,
    }


def test_what_a_class_loses_everywhere_is_not_a_shortcut():
    """At one level a single class takes all: the others are lost there, none is won at the other level."""
    predictions = simulated(2, skill=3)
    high = predictions.levels[:, ELEVATION] == 1
    predictions.predicted[high] = 0
    predictions.scores[high & (predictions.labels != 0)] -= 6
    assert verdicts(predictions) == {"camera.elevation_deg": Verdict.BLIND}


def test_facts_state_what_was_put_in():
    first = effects(simulated(0, surface=4), FACTORS, 3)[0].facts(("a", "b", "c"))
    assert first["parameter"] == "surface.kind" and first["pull"]["recall"] > 0.4
    assert (first["pull"]["level"], first["pull"]["class"]) in {
        ("paper", "a"), ("cardboard", "b"), ("belt_rubber", "c"),
    }  # fmt: skip
    assert first["effect_by_class"]["share_of_variance"] > first["effect"]["share_of_variance"]
    assert all(set(level["recall"]) == {"a", "b", "c"} for level in first["levels"])


def test_f_values_are_those_of_textbook_tests():
    """With two levels, the split plot is a t test of the differences, and an ANOVA of them over classes."""
    random = np.random.Generator(np.random.PCG64(3))
    means, classes = random.normal(size=(12, 2)) + [0, 0.5], np.repeat([0, 1, 2], 4)
    main, by_class = split_plot(means, classes)
    difference = means[:, 1] - means[:, 0]
    anova = stats.f_oneway(*(difference[classes == label] for label in range(3)))
    assert by_class.f == pytest.approx(anova.statistic) and by_class.p == pytest.approx(anova.pvalue)
    single, none = split_plot(means, np.zeros(12, int))
    t = stats.ttest_rel(means[:, 0], means[:, 1])
    assert single.f == pytest.approx(t.statistic**2) and single.p == pytest.approx(t.pvalue)
    assert none.p is None and (main.df, main.df_error) == (1, 9)


def test_p_values_are_corrected_for_their_number():
    assert holm([0.01, None, 0.04, 0.03]) == pytest.approx([0.03, None, 0.06, 0.06], nan_ok=True)


SPEC = """# mine
blendgen: 1
name: test
products: [{catalog: phones}]
surface: {kind: {choice: {paper: 2, cardboard: 1}}}   # the two of our line
camera:
  elevation_deg: {uniform: [40, 80]}
sensor: ideal
render: smoke
"""


def measured(tmp_path, parameters, text=SPEC, **put_in):
    global FACTORS
    before, FACTORS = FACTORS, factors(parameters)
    try:
        measures = effects(simulated(1, **put_in), FACTORS, 3)
    finally:
        FACTORS = before
    return changes(text, "scene.yaml", tmp_path, measures)


def test_a_range_is_widened_where_the_classifier_is_blind(tmp_path):
    changed = measured(tmp_path, PARAMETERS, elevation=3)
    assert [(one.field, one.value) for one in changed.values] == [
        ("camera.elevation_deg", {"uniform": [40, 90]})
    ]
    assert "elevation_deg: {uniform: [40, 90]}" in changed.text and "# the two of our line" in changed.text
    assert "# probe: " in changed.text and "% right at 70 to 80" in changed.text
    assert "-  elevation_deg: {uniform: [40, 80]}\n" in changed.diff


def test_a_range_is_not_widened_past_its_field(tmp_path):
    parameters = {**PARAMETERS, "camera.elevation_deg": Uniform(40, 90)}
    changed = measured(tmp_path, parameters, elevation=3)
    assert changed.values == () and changed.diff == ""
    assert changed.others == (
        "camera.elevation_deg: the range cannot be wider; make more images at 77.5 to 90",
    )


def test_uneven_values_of_a_shortcut_are_evened(tmp_path):
    parameters = {
        **PARAMETERS,
        "surface.kind": Choice(("paper", "cardboard", "belt_rubber"), (2.0, 1.0, 1.0)),
    }
    changed = measured(tmp_path, parameters, surface=4)
    assert [one.value for one in changed.values] == [{"choice": ["paper", "cardboard", "belt_rubber"]}]
    even = measured(tmp_path, PARAMETERS, surface=4)
    assert even.values == () and even.diff == ""
