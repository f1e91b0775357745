"""Templates of Jinja2 filled in."""

from __future__ import annotations

import functools
import importlib.metadata
from typing import Any, Literal, NamedTuple

Unit = Literal["minutes", "share", "number"]


class Metric(NamedTuple):
    """A metric as a page names it.

    Attributes:
        name: as in :func:`taxi_pipeline.evaluation.metrics.metrics`.
        text: for a person.
        unit: how its values are written.
    """

    name: str
    text: str
    unit: Unit


METRICS = (
    Metric("rmse", "Root mean square error (RMSE), minutes", "minutes"),
    Metric("mae", "Mean absolute error (MAE), minutes", "minutes"),
    Metric("median_abs_error", "Median absolute error, minutes", "minutes"),
    Metric("p90_abs_error", "90th percentile of the absolute error, minutes", "minutes"),
    Metric("bias", "Bias: mean of predicted less actual, minutes", "minutes"),
    Metric("r2", "R², the share of the variance that is explained", "number"),
    Metric("within_2_minutes", "Trips off by 2 minutes or less", "share"),
    Metric("within_5_minutes", "Trips off by 5 minutes or less", "share"),
)


def render(template: str, **content: Any) -> str:
    """The page of a template.

    Args:
        template: its file.
        content: what the template names.
    """
    version = importlib.metadata.version("taxi_pipeline")
    return str(_environment().get_template(template).render(version=version, **content))


@functools.cache
def _environment() -> Any:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("taxi_pipeline.evaluation.pages"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {
        "metric": as_text,
        "signed": signed,
        "percent": percent,
        "words": words,
    }
    return environment


def as_text(value: float, unit: Unit) -> str:
    """A metric's value: ``5.09`` minutes, ``41.2 %``, ``0.826``."""
    if unit == "share":
        return percent(value)
    digits = 3 if unit == "number" else 2
    return f"{round(value, digits) + 0:.{digits}f}"  # not -0.00


def signed(minutes: float) -> str:
    """Minutes that may be below 0: ``-0.150``, ``+0.021``."""
    return f"{minutes:+.3f}"


def percent(share: float) -> str:
    """A share: ``41.2 %``."""
    return f"{100 * share:.1f} %"


def words(name: str) -> str:
    """A name of code as words: ``zone_pair`` is ``zone pair``."""
    return name.replace("_", " ")
