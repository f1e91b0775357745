"""scikit-learn objects in files of skops' format, which holds no pickle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from taxi_pipeline.errors import InvalidRecipe

TRUSTED = ("numpy.dtype",)
"""Types that are loaded beside those that skops trusts: they hold no code."""


def dump(fitted: Any, file: Path) -> None:
    """Write a fitted object.

    Raises:
        InvalidRecipe: the object holds types that :func:`load` would refuse.
    """
    import skops.io

    skops.io.dump(fitted, file)
    refused = [name for name in skops.io.get_untrusted_types(file=file) if name not in TRUSTED]
    if refused:
        raise InvalidRecipe(
            f"a {type(fitted).__name__} cannot be kept: skops does not load {', '.join(refused)}; "
            "use another, or a class of your own that keeps it in another way "
            "(docs/how-to/add_a_recipe.md)"
        )


def load(file: Path) -> Any:
    """Read what :func:`dump` wrote; types that nobody knows are refused by skops."""
    import skops.io

    return skops.io.load(file, trusted=list(TRUSTED))
