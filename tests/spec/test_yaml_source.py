import pytest

from blendgen.errors import SpecError
from blendgen.spec.yaml_source import parse


def problem(text):
    with pytest.raises(SpecError) as caught:
        parse(text, "x.yaml")
    return str(caught.value)


def test_scalars_follow_yaml_1_2():
    values = parse("a: no\nb: 1e3\nc: 012\nd: 1:30\ne: '5'\nf: true\ng:\nh: .5\ni: 2024-01-01\n", "x").value
    assert values == {
        "a": "no", "b": 1000.0, "c": 12, "d": "1:30", "e": "5", "f": True, "g": None, "h": 0.5,
        "i": "2024-01-01",
    }  # fmt: skip


def test_every_value_has_its_line_and_column():
    document = parse("a: 1\nb:\n  - c: 2\n    d: 3\n", "x.yaml")
    assert document.places["a",] == (1, 1)
    assert document.places["b", 0] == (3, 5)
    assert document.places["b", 0, "d"] == (4, 5)
    assert str(document.problem(("b", 0, "d"), "bad")) == "x.yaml:4:5: b[0].d: bad"
    assert str(document.problem(("b", 0, "absent"), "bad")).startswith("x.yaml:3:5:")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb: 2\na: 3\n", "x.yaml:3:1: a: duplicate key 'a'"),
        ("a: &x [1]\nb: *x\n", "aliases"),
        ("a:\n\tb: 1\n", "x.yaml:2:1: not YAML: YAML does not allow tabs as indentation"),
        ("", "the file is empty"),
        ("# only a comment\n", "the file is empty"),
        ("a: .nan\n", "not a finite number"),
        ("a: -.inf\n", "not a finite number"),
        ("a: 1e999\n", "too large"),
        ("a: !!python/object:os.system x\n", "tags"),
        ("a: [1, 2\n", "not YAML"),
        ("[" * 5000, "nested too deeply"),
        ("{1: 2, [a]: 3}", "a key must be text or a number"),
        ("a: 1\n---\nb: 2\n", "a spec is one document"),
        ("a: \x00", "not YAML"),
        ("a: " + "x" * 1_000_001, "larger than"),
    ],
)
def test_what_is_not_plain_data_is_an_error_with_its_place(text, expected):
    assert expected in problem(text)


def test_an_alias_bomb_is_refused_at_once():
    bomb = "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 30))
    assert "aliases" in problem(bomb)
