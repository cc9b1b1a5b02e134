"""Expression: a condition on a row, such as "visible_fraction > 0.5 and label == 'mug'".

In: text in the syntax of Python: comparisons, and, or, not, arithmetic, lists, and generators in any() and
all(). Out: whether a Row satisfies it. Names are columns of the manifest. Those of `objects` come twice: by
their own name, of the subject of the image, and in `objects`, a list of the visible products. A value that a
row does not have is None; a comparison with it is false, and a calculation with it gives None.

Only the nodes in _NODES are accepted, so a text can neither call a method nor read an attribute of a Python
object; simpleeval, which refuses these too, evaluates the rest.
"""

from __future__ import annotations

import ast
import operator
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, NoReturn

from simpleeval import DEFAULT_OPERATORS, EvalWithCompoundTypes, InvalidExpression

from blendgen.dataset.rows import row_values
from blendgen.errors import UsageError, did_you_mean
from blendgen.scene.row import Row

MAX_CHARACTERS = 1000
_SUBJECT = 1  # the instance id of the subject
_LINE_ENDS = {ord("\n"): " ", ord("\r"): " "}
_FIRST_LOOK_AT_LEN = "; look at the length first: len(objects) > 1 and objects[1].area > 100"
_SHOWN_BEFORE = 60  # characters of the text before the place of an error
_OTHER_SYNTAX = "; compare with ==, combine with and, or, not"
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "any": any,
    "all": all,
    "len": len,
    "min": min,
    "max": max,
    "sum": sum,
    "abs": abs,
}
_NODES = (
    *(ast.Expression, ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub, ast.Constant),
    *(ast.Compare, ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn, ast.Is, ast.IsNot),
    *(ast.BinOp, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod),
    *(ast.Name, ast.Load, ast.Store, ast.Attribute, ast.Subscript, ast.List, ast.Tuple),
    *(ast.Call, ast.GeneratorExp, ast.comprehension),
)
# what a wrong operand, position, divisor or length raises
_EVALUATION_ERRORS = (TypeError, LookupError, ArithmeticError, ValueError, RecursionError, InvalidExpression)


class Expression:
    """A condition; raises UsageError, with the place in the text, for one that is not valid."""

    def __init__(self, text: str):
        self.text = text.strip().translate(_LINE_ENDS)
        self._tree = self._parsed()
        nodes = list(ast.walk(self._tree))
        for node in nodes:
            self._refuse_node(node)
        self._names = self._column_names(nodes)
        for node in nodes:
            if isinstance(node, ast.comprehension):  # nothing is in a value that is not there
                node.iter = ast.BoolOp(ast.Or(), [node.iter, ast.List([], ast.Load())])
        self._evaluator = EvalWithCompoundTypes(operators=_OPERATORS, functions=dict(_CALLED))
        self._evaluator.nodes |= {ast.Attribute: self._attribute, ast.Subscript: self._subscript}

    def matches(self, row: Row) -> bool:
        """Whether the row satisfies the condition.

        raises: UsageError for a column that the row does not have, or values that cannot be compared
        """
        columns = columns_of(row)
        for node in self._names:
            if node.id not in columns:
                self._refuse_column(node, node.id, columns)
        self._evaluator.names = columns
        try:
            result = self._evaluator.eval(self.text, self._tree.body)
        except _EVALUATION_ERRORS as error:
            hint = _FIRST_LOOK_AT_LEN if isinstance(error, IndexError) else ""
            raise UsageError(f"where: {self.text}: image {row.index}: {error}{hint}") from None
        if not isinstance(result, bool | None):
            raise UsageError(
                f"where: {self.text}: image {row.index}: expected true or false, got {result!r:.80}; "
                "compare it with a value"
            )
        return result is True

    def texts_of(self, column: str) -> Iterator[str]:
        """The texts that a column is compared with."""
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Compare):
                names = [one.id for one in (node.left, *node.comparators) if isinstance(one, ast.Name)]
                parts = ast.walk(node) if column in names else ()
                constants = (part.value for part in parts if isinstance(part, ast.Constant))
                yield from (text for text in constants if isinstance(text, str))

    def _parsed(self) -> ast.Expression:
        if not 0 < len(self.text) <= MAX_CHARACTERS:
            raise UsageError(f"where: expected 1 to {MAX_CHARACTERS} characters, got {len(self.text)}")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about "\d" and the like
                return ast.parse(self.text, mode="eval")
        except SyntaxError as error:
            at_end = len(self.text) + 1  # where Python gives no place, the text ends too early
            hint = _OTHER_SYNTAX if error.msg == "invalid syntax" else ""
            self._refuse(error.offset or at_end, f"{error.msg}{hint}")
        except (ValueError, RecursionError, MemoryError) as error:
            raise UsageError(f"where: cannot be read: {error or 'nested too deeply'}") from None

    def _refuse_node(self, node: ast.AST) -> None:
        """Raises UsageError for what an expression cannot contain."""
        is_target = isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store)
        # an operator has no place of its own
        parts = (node, getattr(node, "op", node))
        refused = next((part for part in parts if is_target or not isinstance(part, _NODES)), None)
        if refused is not None:
            what = f"{type(refused).__name__} cannot be used here"
        elif isinstance(node, ast.Call) and not isinstance(node.func, ast.Name):
            what = f"only {', '.join(_FUNCTIONS)} can be called"
        elif (
            isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id not in _FUNCTIONS
        ):
            what = f"there is no function {node.func.id!r}{did_you_mean(node.func.id, _FUNCTIONS)}"
        else:
            return
        self._refuse(self._character(getattr(node, "col_offset", 0)), what)

    def _column_names(self, nodes: Collection[ast.AST]) -> list[ast.Name]:
        """The names that must be columns: neither functions nor variables of a generator."""
        called = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
        names = [node for node in nodes if isinstance(node, ast.Name) and id(node) not in called]
        variables = {node.id for node in names if isinstance(node.ctx, ast.Store)}
        columns = [node for node in names if node.id not in variables]
        return sorted(columns, key=lambda node: node.col_offset)

    def _attribute(self, node: ast.Attribute) -> Any:
        """The value of a key; None of a value that is not there."""
        values = self._evaluator._eval(node.value)
        if values is None:
            return None
        if isinstance(values, list | tuple):
            name, key = ast.unparse(node.value), node.attr
            what = f"{name} is a list; use any(x.{key} ... for x in {name}), or {name}[0].{key}"
            self._refuse(self._character(node.col_offset), what)
        if not isinstance(values, Mapping) or node.attr not in values:
            self._refuse_column(node, node.attr, values if isinstance(values, Mapping) else ())
        return values[node.attr]

    def _subscript(self, node: ast.Subscript) -> Any:
        """The value at a position or of a key; None of a value that is not there."""
        values, key = self._evaluator._eval(node.value), self._evaluator._eval(node.slice)
        if values is None:
            return None
        if isinstance(values, Mapping) and key not in values:
            start = self._character(node.slice.col_offset)
            self._refuse(start, f"{ast.unparse(node.value)} has no {key!r}{did_you_mean(str(key), values)}")
        return values[key]

    def _refuse_column(self, node: ast.expr, name: str, known: Collection[str]) -> NoReturn:
        end = node.end_col_offset or 0
        start = self._character(end - len(name.encode()))
        hint = did_you_mean(name, known)
        if isinstance(node, ast.Name) and not hint.endswith("?"):
            hint += f"; a text needs quotes: {name!r}"
        self._refuse(start, f"rows have no column {ast.unparse(node)!r}{hint}")

    def _character(self, offset: int) -> int:
        """The number of the character, from 1, at an offset in bytes."""
        return len(self.text.encode()[:offset].decode("utf-8", "replace")) + 1

    def _refuse(self, character: int, what: str) -> NoReturn:
        start = max(0, character - _SHOWN_BEFORE)
        shown = self.text[start : start + 2 * _SHOWN_BEFORE]
        raise UsageError(
            f"where, character {character}: {what}\n  {shown}\n  {' ' * (character - 1 - start)}^"
        ) from None


def columns_of(row: Row) -> dict[str, Any]:
    """The values that an expression can name, by name."""
    columns = row.objects.columns()
    objects = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    ids = row.objects.instance_id
    subject = objects[ids.index(_SUBJECT)] if _SUBJECT in ids else dict.fromkeys(columns)
    return {**subject, **row_values(row), "objects": objects}


def _ordered(compare: Callable[[Any, Any], Any]) -> Callable[[Any, Any], bool]:
    return lambda left, right: left is not None and right is not None and bool(compare(left, right))


def _of_numbers(calculate: Callable[..., Any]) -> Callable[..., Any]:
    """Not for a text, which % formats, nor for a list, which * repeats; None where a value is None."""

    def calculated(*values: Any) -> Any:
        if any(value is None for value in values):
            return None
        wrong = next((value for value in values if not isinstance(value, int | float)), None)
        if wrong is not None:
            raise TypeError(f"expected a number, got {wrong!r:.80}")
        return calculate(*values)

    return calculated


def _of_values(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *values: None if values == (None,) else function(*values)


_CALLED = {name: _of_values(function) for name, function in _FUNCTIONS.items()}
_OPERATORS = {
    **DEFAULT_OPERATORS,
    ast.Lt: _ordered(operator.lt),
    ast.LtE: _ordered(operator.le),
    ast.Gt: _ordered(operator.gt),
    ast.GtE: _ordered(operator.ge),
    ast.Is: operator.eq,  # whether two texts are the same object says nothing
    ast.IsNot: operator.ne,
    ast.In: lambda value, values: values is not None and value in values,
    ast.NotIn: lambda value, values: values is None or value not in values,
    ast.Add: _of_numbers(operator.add),
    ast.Sub: _of_numbers(operator.sub),
    ast.Mult: _of_numbers(operator.mul),
    ast.Div: _of_numbers(operator.truediv),
    ast.FloorDiv: _of_numbers(operator.floordiv),
    ast.Mod: _of_numbers(operator.mod),
    ast.USub: _of_numbers(operator.neg),
}
