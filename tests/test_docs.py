"""What the documentation says is held against the program: pages, examples, commands, tables, links."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from blendgen import cli
from blendgen.cli.completions import SPEC_FIELDS
from blendgen.errors import ExitCode, Reason
from blendgen.exporters.formats import built_in
from blendgen.models.sidecar.read import check_sidecar
from blendgen.models.sidecar.schema import MARK
from blendgen.scene.kinds.lamps import LAMP_KINDS
from blendgen.scene.kinds.surfaces import SURFACE_KINDS
from blendgen.spec.load import SpecFile, check_spec
from blendgen.spec.yaml_source import Document, parse
from tests.docs_pages import PAGES as MADE_PAGES
from tests.docs_pages import all_commands, spec_fields_file
from tests.markdown import (
    DOCS,
    PAGES,
    REPOSITORY,
    Block,
    CommandLine,
    anchors,
    blocks,
    code_spans,
    command_lines,
    links,
    table,
    table_widths,
)
from tests.test_architecture import ORDER, PACKAGE

README = REPOSITORY / "README.md"
# our own processes, and click, set them for each other; the last one is a name of Blender's
INTERNAL_VARIABLES = {"COMPLETE", "CORES", "MEMORY_MB", "PARENT", "CHAOS_NAMESPACE", "ATTACK_RUN", "SHOWN"}
# a part of docs/spec.md; not a page that anybody opens
INCLUDED = {DOCS / "spec_intro.md"}
YAML_BLOCKS = [block for page in PAGES for block in blocks(page, "yaml")]
COMMAND_LINES = [line for page in PAGES for line in command_lines(page)]
MINIMAL_SPEC = {"blendgen": 1, "name": "example", "products": [{"catalog": "phones"}]}


def _id(item: Block | CommandLine | Path) -> str:
    return item.relative_to(REPOSITORY).as_posix() if isinstance(item, Path) else item.name


@pytest.mark.parametrize("name", MADE_PAGES)
def test_the_pages_made_from_the_code_are_up_to_date(name):
    assert (DOCS / name).read_text("utf-8") == MADE_PAGES[name](), "run `make docs`"


def test_the_fields_for_completion_are_up_to_date():
    assert SPEC_FIELDS.read_text("utf-8") == spec_fields_file(), "run `make docs`"


@pytest.mark.parametrize("page", PAGES, ids=_id)
def test_every_link_leads_to_a_file_and_a_heading(page):
    for target, fragment in links(page):
        file = (page.parent / target).resolve() if target else page
        assert file.exists(), target
        assert not fragment or fragment in anchors(file), f"{target}#{fragment}"


@pytest.mark.parametrize("page", PAGES, ids=_id)
def test_every_table_has_a_header_and_rows_of_one_width(page):
    lines = page.read_text("utf-8").splitlines()
    for start, widths in table_widths(page):
        assert len(widths) == 1, f"line {start}: rows of {sorted(widths)} cells"
        assert re.fullmatch(r"\s*\|( *:?-+:? *\|)+", lines[start]), f"line {start}: a table without a header"


def test_the_index_links_every_page():
    linked = {(DOCS / target).resolve() for target, _ in links(DOCS / "index.md")}
    assert set(PAGES) - linked - INCLUDED == {DOCS / "index.md"}


def checked_example(block: Block) -> SpecFile:
    """A whole spec, or a fragment in the place of its keys in a minimal one, through the real loader."""
    document = parse(block.text, block.name)
    if block.info[1:] == ("fragment",):
        document = Document(document.file, {**MINIMAL_SPEC, **document.value}, document.places)
    return check_spec(document, block.page.parent)


@pytest.mark.parametrize("block", YAML_BLOCKS, ids=_id)
def test_every_yaml_example_loads(block):
    if MARK in parse(block.text, block.name).value:
        assert check_sidecar(parse(block.text, block.name), Path("model.obj")).sidecar
    else:
        assert checked_example(block).spec.products


def test_a_fragment_with_an_unknown_key_does_not_load():
    with pytest.raises(cli.BlendgenError, match=r"camera\.rol_deg"):
        checked_example(Block(README, 1, ("yaml", "fragment"), "camera: {rol_deg: 3}\n"))


def _is_placeholder(word: object) -> bool:
    return isinstance(word, str) and word.isupper()


def parsed(line: CommandLine) -> None:
    """Parse a command line without running it; raises click.UsageError."""
    root = click.Context(cli.group, info_name="blendgen")
    if not line.words or line.words[0].startswith("-"):
        cli.group.make_parser(root).parse_args(list(line.words))
        return
    name, command, arguments = cli.group.resolve_command(root, list(line.words))
    context = click.Context(command, root, info_name=name, help_option_names=["-h", "--help"])
    if isinstance(command, click.Group) and (arguments or line.complete):
        name, command, arguments = command.resolve_command(context, arguments)
        context = click.Context(command, context, info_name=name, help_option_names=["-h", "--help"])
    values, rest, _ = command.make_parser(context).parse_args(arguments)
    if rest:
        raise click.UsageError(f"too much: {rest}")
    for param in command.params:
        value = values.get(param.name)
        is_given = isinstance(value, str | bool | list | tuple)  # click marks the absence of an argument
        if not is_given and param.required and line.complete:
            raise click.MissingParameter(ctx=context, param=param)
        if is_given and not _is_placeholder(value) and not isinstance(param.type, click.Path):
            param.type_cast_value(context, value)


@pytest.mark.parametrize("line", COMMAND_LINES, ids=lambda line: f"{line.name} {' '.join(line.words)[:40]}")
def test_every_command_line_parses(line):
    parsed(line)


@pytest.mark.parametrize(
    "words", [["draw", "S"], ["verify", "OUT", "--all", "3"], ["export", "OUT", "kitti", "D"], ["generate"],
              ["generate", "s.yaml", "-o", "out", "-n", "0"], ["check", "a.yaml", "b.yaml"],
              ["farm", "lsf", "s.yaml"], ["farm", "slurm", "s.yaml", "-o", "out"],
              ["farm", "slurm", "s.yaml", "-o", "out", "--shards", "0"]]
)  # fmt: skip
def test_a_wrong_command_line_does_not_parse(words):
    with pytest.raises(click.UsageError):
        parsed(CommandLine("", tuple(words), True))


def options_of_all_commands() -> set[str]:
    from benchmarks.__main__ import command as benchmark
    from tests.audit.__main__ import main as audit

    commands = [command for _, command in all_commands()] + [benchmark, audit]
    options = [param for command in commands for param in command.params]
    return {"--help", *(name for option in options for name in (*option.opts, *option.secondary_opts))}


@pytest.mark.parametrize("page", [README, *DOCS.glob("*.md")], ids=_id)
def test_every_option_that_the_prose_names_exists(page):
    known = options_of_all_commands()
    for line, span in code_spans(page):
        named = re.findall(r"(?<!\S)--[a-z][a-z-]*", span)
        assert set(named) <= known, f"line {line}: {span}"


def test_the_readme_lists_every_command():
    listed = [re.match(r"`([a-z]+)", row[0])[1] for row in table(README, "command")]
    assert sorted(listed) == sorted(cli._COMMANDS)


def test_the_table_of_exit_codes_is_complete():
    listed = [int(row[0]) for row in table(DOCS / "exit-codes.md", "code")]
    assert listed == [int(code) for code in ExitCode]


def test_every_reason_for_a_failed_image_is_listed():
    listed = [row[0].strip("`") for row in table(DOCS / "dataset.md", "`reason`")]
    assert listed == [reason.value for reason in Reason]


def test_the_table_of_formats_is_complete():
    listed = [row[0].strip("`") for row in table(DOCS / "exports.md", "format")]
    assert sorted(listed) == sorted(built_in())


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text("utf-8"), re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=_id)
def test_every_make_target_exists(page):
    shell = "\n".join(block.text for block in blocks(page, "sh", "bash", "console"))
    spans = "\n".join(span for _, span in code_spans(page))
    assert set(re.findall(r"^(?:\$ )?make ([a-z-]+)", f"{shell}\n{spans}", re.MULTILINE)) <= make_targets()


def test_the_table_of_rooms_is_complete_and_in_order():
    assert [row[0].strip("`") for row in table(DOCS / "architecture.md", "room")] == list(ORDER)


def test_the_architecture_names_files_that_exist():
    paths = {
        span for _, span in code_spans(DOCS / "architecture.md") if re.fullmatch(r"[\w./]+(/|\.py)", span)
    }
    missing = {path for path in paths if not any((base / path).exists() for base in (PACKAGE, REPOSITORY))}
    assert "draw/" in paths and missing == set()


@pytest.mark.parametrize(("page", "kinds"), [("surfaces.md", SURFACE_KINDS), ("lighting.md", LAMP_KINDS)])
def test_the_guides_list_every_kind(page, kinds):
    listed = re.findall(r"`(\w+)`", " ".join(row[0] for row in table(DOCS / page, "kind")))
    assert sorted(listed) == sorted(kinds)


def test_the_recipes_name_files_that_exist():
    named = {
        span
        for _, span in code_spans(REPOSITORY / "CONTRIBUTING.md")
        if span.startswith(("blendgen/", "tests/"))
    }
    assert "blendgen/spec/output.py" in named
    assert {path for path in named if not (REPOSITORY / path).exists()} == set()


def test_all_variables_of_the_environment_are_documented():
    """Those that the program, its tests and CI read."""
    folders = ("blendgen", "benchmarks", "tests", ".ci")
    files = [path for name in folders for path in (REPOSITORY / name).rglob("*") if path.is_file()]
    files = [path for path in files if path.suffix == ".py" or path.parent.name == ".ci"]
    text = "\n".join(path.read_text("utf-8") for path in (*files, REPOSITORY / "Makefile"))
    name = re.compile(r"BLENDGEN_([A-Z_]*[A-Z])")
    documented = set(name.findall("\n".join(page.read_text("utf-8") for page in PAGES)))
    assert set(name.findall(text)) - documented == INTERNAL_VARIABLES
