"""Recolour: the colourways of a spec or table, matched to parts by pattern."""

import json

import pytest

from blendgen.errors import SpecError
from blendgen.models.product import MaterialOverride
from blendgen.models.recolor import read_table, recolored, unmatched_patterns
from blendgen.spec.products import Finish
from tests.conftest import make_product, with_measured

PHONE = with_measured(make_product("phone", "box", (0.1, 0.1, 0.1)), parts=("Body_top", "Body_side", "Glass"))


def finishes(**patterns):
    return {pattern: Finish.model_validate(finish) for pattern, finish in patterns.items()}


def test_a_pattern_colours_the_parts_that_it_matches_and_no_other():
    product = recolored(PHONE, {"red": finishes(**{"body*": "#ff0000"})})
    (red,) = product.colorways
    assert red.materials == {name: MaterialOverride("#ff0000") for name in ("Body_top", "Body_side")}


def test_the_last_of_several_matching_patterns_counts():
    table = {"two": finishes(**{"*": "#000000", "glass": {"color": "#ffffff", "transmission": 1}})}
    materials = recolored(PHONE, table).colorways[0].materials
    assert materials["Body_top"] == MaterialOverride("#000000")
    # and what is clear does not stay metal
    assert materials["Glass"] == MaterialOverride("#ffffff", metallic=0.0, transmission=1.0)


def test_brackets_in_names_of_materials_are_brackets():
    product = with_measured(PHONE, parts=("Paint [1]", "Paint 1", "Glass"))
    table = {"two": finishes(**{"Paint [1]": "#ff0000"}), "all": finishes(**{"paint*": "#00ff00"})}
    two, every = recolored(product, table).colorways
    assert set(two.materials) == {"Paint [1]"} and set(every.materials) == {"Paint [1]", "Paint 1"}
    assert unmatched_patterns([product], table) == []


def test_names_that_differ_in_letter_case_alone_keep_their_own_finish():
    product = with_measured(PHONE, parts=("red", "Red"))
    materials = recolored(product, {"two": finishes(red="#ff0000", Red="#aa0000")}).colorways[0].materials
    assert materials == {"red": MaterialOverride("#ff0000"), "Red": MaterialOverride("#aa0000")}


def test_an_empty_colourway_is_the_model_as_it_is_and_a_strange_one_is_left_out():
    product = recolored(PHONE, {"own": {}, "car": finishes(wheel="#123456")})
    assert [(c.name, c.materials) for c in product.colorways] == [("own", {})]
    assert unmatched_patterns([PHONE], {"car": finishes(wheel="#123456", glass="#ffffff")}) == [
        ("car", "wheel")
    ]


@pytest.mark.parametrize("suffix", ["yaml", "json", "csv"])
def test_a_table_says_the_same_in_every_format(tmp_path, suffix):
    plain = {
        "red": {"body*": {"color": "#ff0000", "roughness": 0.5}},
        "blue": {"body*": {"color": "#0000ff"}},
    }
    csv = "colorway,part,color,roughness\nred,body*,#ff0000,0.5\nblue,body*,#0000ff,\n"
    path = tmp_path / f"colors.{suffix}"
    path.write_text(csv if suffix == "csv" else json.dumps(plain))
    table = read_table(path)
    assert {n: {p: f.model_dump(exclude_none=True) for p, f in t.items()} for n, t in table.items()} == plain


def test_tabs_of_json_are_harmless(tmp_path):
    (tmp_path / "a.json").write_text('{\n\t"red":\t{"*": "#ff0000"}\n}\n')
    table = read_table(tmp_path / "a.json")
    assert {name: list(parts) for name, parts in table.items()} == {"red": ["*"]}


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.csv", "colorway,part,color\nred,body,red\n", "a.csv:2:1: red.body.color: a colour is written"),
        ("a.csv", "name,color\n", "a.csv:1:1: the first line must name columns among colorway, part"),
        (
            "a.csv",
            "colorway,part,roughness\nred,body,rough\n",
            "a.csv:2:1: red.body.roughness: must be a number, got",
        ),
        ("a.csv", "colorway,part,color\r\nred,*,#ff0000\r\n,,\r\n", "a.csv:3:1: the row is empty; remove it"),
        (
            "a.csv",
            "colorway,part,color\nred,*,#ff0000\nblue,*,#0000ff\nred,*,#00ff00\n",
            "a.csv:4:1: red: the part '*' already has a row, in line 2; remove one of them",
        ),
        ("a.yaml", "red:\n  body: {color: '#ff0000', shine: 1}\n", "a.yaml:2:28: red.body.shine"),
        ("a.json", "[1]", "a.json:1:1: "),
        ("b.json", None, "b.json: cannot be read: No such file"),
    ],
)
def test_a_fault_of_a_table_is_reported_with_its_place(tmp_path, name, text, expected):
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(SpecError) as caught:
        read_table(tmp_path / name)
    assert str(caught.value).replace(f"{tmp_path}/", "").startswith(expected)


def test_a_table_that_is_a_link_out_of_its_folder_is_refused(tmp_path):
    (tmp_path / "secret.yaml").write_text("red: {}")
    (tmp_path / "spec").mkdir()
    table = tmp_path / "spec" / "colors.yaml"
    table.symlink_to("../secret.yaml")
    with pytest.raises(SpecError, match="it is a link that leads out of its folder; copy the file there"):
        read_table(table)
    table.unlink()
    (tmp_path / "spec" / "other.yaml").write_text("red: {}")
    table.symlink_to("other.yaml")
    assert read_table(table) == {"red": {}}


@pytest.mark.parametrize("text", ['colorway,part\n"' + "x" * 200_000, 'colorway,part\n"red"x,body'])
def test_a_table_that_is_not_csv_is_refused_with_its_line(tmp_path, text):
    (tmp_path / "colors.csv").write_text(text)
    with pytest.raises(SpecError, match=r"colors.csv:\d+:1: .*cannot be read as CSV"):
        read_table(tmp_path / "colors.csv")


@pytest.mark.parametrize(
    "text", ["root:x:0:0:root:/root\n", "user: {}\npassword: root:x:0:0\n", "- root:x:0:0\n"]
)
def test_the_content_of_a_file_that_is_not_a_table_is_not_printed(tmp_path, text):
    """A spec of a stranger can name any file as its table."""
    (tmp_path / "passwd.yaml").write_text(text)
    with pytest.raises(SpecError, match=r"passwd\.yaml:\d:\d+: .*must be a mapping") as caught:
        read_table(tmp_path / "passwd.yaml")
    assert "root:x" not in str(caught.value)
