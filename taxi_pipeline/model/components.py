"""How a saved model names the classes of its encoder and its regressor.

Both are built again from that name and their settings, so that a model loads where its recipe is
not known.
"""

from __future__ import annotations

import inspect
import json
import pkgutil
from collections.abc import Callable, Mapping
from typing import Any

from taxi_pipeline.errors import InvalidRecipe

METHODS = {
    "encoder": ("fit_transform", "transform", "save", "load"),
    "regressor": ("fit", "predict", "save", "load"),
}
"""The methods that a class must have before it is called, since a file may name anything."""


def describe_component(component: object) -> dict[str, Any]:
    """The class and the settings of an encoder or a regressor, as they stand in ``model.json``.

    Raises:
        InvalidRecipe: its class cannot be found again by name, or its settings are not JSON.
    """
    kind = type(component)
    name = f"{kind.__module__}:{kind.__qualname__}"
    try:
        found = pkgutil.resolve_name(name)
    except (ImportError, AttributeError, ValueError):
        found = None
    if found is not kind:
        raise InvalidRecipe(f"{name} cannot be loaded again: it must stand at the top of a module")
    settings: Callable[[], Mapping[str, Any]] = getattr(component, "settings", dict)
    try:
        return {"class": name, "settings": json.loads(json.dumps(dict(settings())))}
    except (TypeError, ValueError) as error:
        raise InvalidRecipe(
            f"settings() of {name} must return arguments of its constructor that JSON can hold: "
            f"{error}"
        ) from error


def build_component(role: str, description: Mapping[str, Any]) -> Any:
    """A new encoder or regressor, ready to load what was saved.

    Args:
        role: ``encoder`` or ``regressor``.
        description: as :func:`describe_component` returns it.

    Raises:
        InvalidRecipe: the class cannot be imported here, or is no such class.
    """
    name = str(description["class"])
    try:
        kind = pkgutil.resolve_name(name)
    except Exception as error:  # (a module may raise anything while it is imported)
        raise InvalidRecipe(
            f"the model's {role} is a {name}, which cannot be imported here ({error}): install the "
            "module or put its folder on PYTHONPATH"
        ) from error
    if not inspect.isclass(kind) or not all(
        callable(getattr(kind, method, None)) for method in METHODS[role]
    ):
        raise InvalidRecipe(
            f"the model's {role} is a {name}, which lacks the methods of one: "
            f"{', '.join(METHODS[role])}"
        )
    try:
        return kind(**description["settings"])
    except TypeError as error:
        raise InvalidRecipe(
            f"the model's {role}, a {name}, cannot be built of what its settings() returned: "
            f"{error}"
        ) from error
