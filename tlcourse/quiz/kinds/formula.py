"""The arithmetic of drawn questions: numbers, names, + − * / ** % and a few functions. Nothing else can be written.

A course may come from a stranger, so a formula is read as a tree and walked; nothing of it is ever run as Python.
"""

from __future__ import annotations

import ast
import functools
import math
import operator
from collections.abc import Callable, Mapping

LONGEST = 300
"""Characters of a formula: its tree is walked by recursion, and is no deeper than it is long."""
FUNCTIONS: dict[str, Callable[..., float]] = {
    "abs": abs,
    "ceil": math.ceil,
    "exp": math.exp,
    "floor": math.floor,
    "log": math.log,
    "max": max,
    "min": min,
    "round": round,
    "sqrt": math.sqrt,
}
_OPERATORS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}


def evaluate(formula: str, values: Mapping[str, float]) -> float:
    """Return the value of a formula in float64. Raises ValueError saying what of it cannot be computed."""
    try:
        found = _value(_tree(formula), values)
    except ZeroDivisionError:
        raise ValueError(f"`{formula}` divides by zero") from None
    except (OverflowError, TypeError):
        raise ValueError(f"`{formula}` cannot be computed") from None
    if not math.isfinite(found):
        raise ValueError(f"`{formula}` is not finite")
    return found


@functools.lru_cache(maxsize=1024)
def _tree(formula: str) -> ast.expr:
    if len(formula) > LONGEST:
        raise ValueError(f"a formula has {len(formula)} characters, expected at most {LONGEST}")
    try:
        return ast.parse(formula.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise ValueError(f"`{formula}` is not a formula") from None


def _value(node: ast.expr, values: Mapping[str, float]) -> float:
    """Floats throughout: whole numbers of Python would grow without end, floats overflow."""
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return float(number)
        case ast.Name(id=name):
            if name not in values:
                raise ValueError(f"`{name}` is not known, expected one of: {', '.join(sorted(values)) or 'none'}")
            return float(values[name])
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, values)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            found = _OPERATORS[type(op)](_value(left, values), _value(right, values))
            if isinstance(found, complex):
                raise ValueError("a root of a negative number cannot be computed")
            return float(found)
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in FUNCTIONS:
            try:
                return float(FUNCTIONS[name](*(_value(one, values) for one in arguments)))
            except ValueError as error:
                raise ValueError(f"`{name}` cannot be computed ({error})") from None
        case _:
            raise ValueError(
                f"`{ast.unparse(node)}` is not arithmetic, expected numbers, names, + - * / ** % and "
                f"{', '.join(FUNCTIONS)}"
            )
