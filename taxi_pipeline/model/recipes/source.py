"""The code of a recipe as a part of its identity: who edits a recipe sees it run again.

The digest of a recipe is made of what it declares and of its code: of its class, of the base
classes below :class:`Recipe`, and of the functions, classes and constants that these name in their
own modules, and so on from there. Code of other modules does not count, only which names are
imported from which of them; the recipe's ``version`` is raised for that.

The code counts as syntax, not as text. These change nothing: comments, formatting, docstrings, the
order of definitions and of imports, annotations that nothing reads, where in this package a name is
imported from, and the recipe's ``summary`` and ``caveat``. Where there is no source (a notebook, a
compiled module), what the recipe declares decides alone.
"""

from __future__ import annotations

import ast
import functools
import inspect
import linecache
import sys
from collections.abc import Iterable
from itertools import groupby
from typing import Any

from taxi_pipeline.errors import InvalidRecipe
from taxi_pipeline.identity import digest
from taxi_pipeline.model.recipes.base import Recipe

FIRST_DIGESTS = {
    "trip": "f8a4c8b19d5b683a",
    "pretrip": "6f290e2f9dc5d738",
    "course": "7cbfb44be34eff14",
    "linear": "8ca49157bc3be352",
}
"""The digests of this package's recipes when code began to count.

Outputs made before do not name the code. They are found as long as a recipe has its first digest;
an edited recipe has another one. So this table never changes.
"""

PACKAGE = "taxi_pipeline"

SILENT_FIELDS = {"ctx", "kind", "type_comment", "type_params"}
"""Fields of a syntax tree that say nothing of what is done, or that only some versions have."""

DESCRIPTIONS = {"summary", "caveat", "version"}
"""Attributes of a recipe that no model depends on; the version counts by itself."""

INERT_DECORATORS = {"property", "staticmethod", "classmethod"}
"""Decorators that do not read a function's annotations."""

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
Import = ast.Import | ast.ImportFrom


def recipe_digest(recipe: Recipe) -> str:
    """The digest of what a recipe declares and of its code.

    Raises:
        InvalidRecipe: the file of its code was changed since it was imported, and is no Python.
    """
    declared, code = recipe.declaration(), code_digest(type(recipe))
    return digest(declared if code is None else {"declared": declared, "code": code})


@functools.cache
def code_digest(kind: type[Recipe]) -> str | None:
    """The digest of the code of a recipe's class, the same in all supported versions of Python.

    A class is read once, when it is first asked for. The class of a module that was loaded again is
    another one, for which the file is read again.

    Returns:
        The digest; None where there is no source.

    Raises:
        InvalidRecipe: the file was changed since it was imported, and is no Python.
    """
    own = [base for base in kind.__mro__ if base not in Recipe.__mro__ and not _is_pythons(base)]
    # Of a class that stands in a function or in another class, the whole of that counts.
    roots: dict[str, set[str]] = {}
    for base in own:
        roots.setdefault(base.__module__, set()).add(base.__qualname__.partition(".")[0])
    normaliser = _Normaliser({base.__name__ for base in own})
    codes = [_reachable(_syntax(module), names, normaliser) for module, names in roots.items()]
    return digest(codes) if any(codes) else None


def _is_pythons(kind: type) -> bool:
    """Whether a class is of Python's own library, whose code differs from version to version."""
    module = kind.__module__.partition(".")[0]
    return module in sys.stdlib_module_names and not issubclass(kind, Recipe)


def _syntax(name: str) -> list[ast.stmt]:
    """The statements of a module; none if there is no source."""
    module = sys.modules.get(name)
    if module is None or getattr(module, "__file__", None) is None:
        return []
    file = inspect.getsourcefile(module)
    if file is None:
        return []
    linecache.checkcache(file)
    try:
        return ast.parse("".join(linecache.getlines(file, vars(module)))).body
    except SyntaxError as error:
        raise InvalidRecipe(
            f"{file} was changed since it was imported, and its line {error.lineno} is no Python "
            f"now ({error.msg}); correct it and run again"
        ) from error


def _reachable(
    statements: Iterable[ast.stmt], roots: set[str], normaliser: _Normaliser
) -> dict[str, Any]:
    """What a module binds to some names, and to the names of the module that occur in that."""
    bound: dict[str, list[ast.stmt]] = {}
    for statement in statements:
        for part in normaliser.split(statement):
            for name in _bound(part):
                bound.setdefault(name, []).append(part)
    found: dict[str, Any] = {}
    wanted = roots & bound.keys()
    while wanted:
        name = wanted.pop()
        parts = [part for one in bound[name] for part in normaliser.normalise(one)]
        found[name] = [_plain(part) for part in parts]
        named = {node.id for one in parts for node in ast.walk(one) if isinstance(node, ast.Name)}
        wanted |= (named & bound.keys()) - found.keys()
    return found


def _bound(statement: ast.stmt) -> set[str]:
    """The names that a statement of a module binds, or whose values it changes."""
    if isinstance(statement, Definition):
        return {statement.name}
    bound: set[str] = set()
    for node in ast.walk(statement):
        if isinstance(node, Definition):
            bound.add(node.name)
        elif isinstance(node, ast.alias):
            bound.add(node.asname or node.name.partition(".")[0])
        elif isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
            if not isinstance(node.ctx, ast.Load):
                bound |= _owner(node)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            # A call of a method as a statement, such as that of a list's `append`.
            called = node.value.func
            bound |= _owner(called) if isinstance(called, ast.Attribute) else set()
    return bound


def _describes(statement: ast.stmt) -> bool:
    """Whether a statement of a recipe's class only describes it."""
    bound = _bound(statement)
    return bool(bound) and bound <= DESCRIPTIONS


def _owner(node: ast.expr) -> set[str]:
    """The name that attributes and items are those of."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return {node.id} if isinstance(node, ast.Name) else set()


class _Normaliser(ast.NodeTransformer):
    """Takes out of a syntax tree what does nothing, and brings into order what has none.

    Args:
        recipes: the names of the recipe's own classes, whose annotations nothing reads.
    """

    def __init__(self, recipes: set[str]) -> None:
        self.recipes = recipes
        self.annotations_count = False

    def split(self, statement: ast.stmt) -> list[ast.stmt]:
        """A statement, or one for each name that it imports."""
        return self.normalise(statement) if isinstance(statement, Import) else [statement]

    def normalise(self, statement: ast.stmt) -> list[ast.stmt]:
        """The statements that stand for one."""
        normalised = self.visit(statement)
        if normalised is None:
            return []
        return normalised if isinstance(normalised, list) else [normalised]

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        for name, value in ast.iter_fields(node):
            if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
                setattr(node, name, _in_order(value))
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        is_recipe = node.name in self.recipes
        if is_recipe:
            node.body = [one for one in node.body if not _describes(one)]
        # Those of dataclasses, named tuples and the like are read.
        read = bool(node.decorator_list or node.bases) and not is_recipe
        return self._visit_inside(node, annotations_count=read)

    def visit_FunctionDef(self, node: Any) -> ast.AST:
        decorators = {getattr(decorator, "id", "") for decorator in node.decorator_list}
        if decorators <= INERT_DECORATORS:
            node.returns = None
            arguments = node.args
            for one in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
                one.annotation = None
            for one in (arguments.vararg, arguments.kwarg):
                if one is not None:
                    one.annotation = None
        return self._visit_inside(node, annotations_count=False)

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815  (likewise)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        if self.annotations_count:
            return self.generic_visit(node)
        if node.value is None:
            return None
        return self.generic_visit(ast.Assign([node.target], node.value))

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        is_docstring = isinstance(node.value, ast.Constant)
        return None if is_docstring else self.generic_visit(node)

    def visit_Pass(self, _node: ast.Pass) -> None:
        return None

    def visit_Import(self, node: ast.Import) -> list[ast.stmt]:
        return [ast.Import([imported]) for imported in node.names]

    def visit_ImportFrom(self, node: ast.ImportFrom) -> list[ast.stmt]:
        # Modules of this package may move.
        own = (node.module or "").partition(".")[0] == PACKAGE
        module = PACKAGE if own else node.module
        return [ast.ImportFrom(module, [imported], node.level) for imported in node.names]

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        # Some versions of Python divide the text differently, or put an empty text at its end.
        parts: list[ast.expr] = []
        for part in node.values:
            before = parts[-1] if parts else None
            if isinstance(part, ast.Constant) and isinstance(before, ast.Constant):
                parts[-1] = ast.Constant(str(before.value) + str(part.value))
            elif not isinstance(part, ast.Constant) or part.value:
                parts.append(part)
        return self.generic_visit(ast.JoinedStr(parts))

    def _visit_inside(self, node: ast.AST, *, annotations_count: bool) -> ast.AST:
        outside, self.annotations_count = self.annotations_count, annotations_count
        try:
            return self.generic_visit(node)
        finally:
            self.annotations_count = outside


def _in_order(body: list[ast.stmt]) -> list[ast.stmt]:
    """A body in which imports, and definitions, that follow each other are sorted."""
    ordered: list[ast.stmt] = []
    for kind, group in groupby(body, _kind):
        statements = list(group)
        if kind is Import:
            statements.sort(key=lambda node: str(_plain(node)))
        elif kind is Definition:
            statements.sort(key=lambda node: str(getattr(node, "name", "")))
        ordered += statements
    return ordered


def _kind(node: ast.stmt) -> Any:
    return next((kind for kind in (Import, Definition) if isinstance(node, kind)), None)


def _plain(node: Any) -> Any:
    """A syntax tree as plain values that are the same in all versions of Python."""
    if isinstance(node, ast.Constant):
        value = node.value
        text = value.hex() if isinstance(value, bytes) else str(value)
        return ["Constant", type(value).__name__, text]
    if isinstance(node, ast.AST):
        fields = {
            name: _plain(value)
            for name, value in ast.iter_fields(node)
            if name not in SILENT_FIELDS and value is not None and value != []
        }
        return [type(node).__name__, fields]
    return [_plain(one) for one in node] if isinstance(node, list) else node
