"""The page of the course of a champion: what it did in each month beside what was promised."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from taxi_pipeline.evaluation.decay import AS_PROMISED, DECAYED, NOT_KNOWN
from taxi_pipeline.evaluation.pages.charts import chart, draw_course
from taxi_pipeline.evaluation.pages.rendering import as_text, percent, render

CLASSES = {AS_PROMISED: "promoted", DECAYED: "rejected", NOT_KNOWN: "kept"}
"""The class in the style sheet of each verdict."""


@dataclass(frozen=True)
class MonitoredMonth:
    """What there is of a month.

    Attributes:
        month: ``YYYY-MM``.
        status: what became of it in this run, in words.
        record: what was found, as of :meth:`taxi_pipeline.evaluation.monitoring.Monitored.as_dict`,
            with ``champion_is`` and ``frozen_is``; None if it is not monitored.
    """

    month: str
    status: str
    record: Mapping[str, Any] | None

    @property
    def verdict(self) -> str:
        """On the champion; NOT_KNOWN where there is no record."""
        return str(self.record["champion"]["verdict"]) if self.record else NOT_KNOWN

    def figures(self, role: str) -> Mapping[str, float]:
        """The metrics of ``champion`` or ``frozen``; empty if it does not count."""
        realised = self.record[role] if self.record else None
        figures: Mapping[str, float] = realised["figures"] if realised else {}
        return figures


def render_course(
    heading: str, model_name: str, made: str, months: Sequence[MonitoredMonth]
) -> str:
    """The page as the text of an HTML file.

    Args:
        heading: what the page is about.
        model_name: the registered model.
        made: when it is made, in UTC.
        months: in order.
    """
    has_figures = any(month.figures(role) for month in months for role in ("champion", "frozen"))
    return render(
        "course.html",
        heading=heading,
        model_name=model_name,
        made=made,
        months=months,
        classes=CLASSES,
        answer=answer(months),
        has_frozen=any(month.record and month.record["frozen"] for month in months),
        frozen=_frozen_in_words(months),
        chart=_chart(months) if has_figures else None,
    )


def answer(months: Sequence[MonitoredMonth]) -> str:
    """Whether the champion is still as good as promised, by the last month that tells."""
    known = [month for month in months if month.verdict != NOT_KNOWN]
    if not known:
        return (
            "Whether the champion is still as good as promised is not known: no month of these "
            "tells it."
        )
    last, decayed = known[-1], [month for month in known if month.verdict == DECAYED]
    champion = (last.record or {})["champion"]
    trained = f" of {champion['training_month']}" if champion["training_month"] else ""
    name = f"the champion, version {champion['version']}{trained}"
    facts = f"{'; '.join(champion['decisive'])}."
    if last.verdict == AS_PROMISED:
        before = f" It had decayed in {_list(decayed)}." if decayed else ""
        return f"Yes: in {last.month} {name}, is as good as promised. {facts}{before}"
    since = next(
        (after.month for one, after in _pairs(known) if one.verdict != DECAYED), known[0].month
    )
    when = f"in {last.month}" if since == last.month else f"since {since}, last in {last.month},"
    return f"No: {when} {name}, is not as good as promised. {facts}"


def _pairs(months: Sequence[MonitoredMonth]) -> Iterator[tuple[MonitoredMonth, MonitoredMonth]]:
    """Each month and the one after it, the newest first."""
    return zip(reversed(months[:-1]), reversed(months[1:]), strict=True)


def _list(months: Sequence[MonitoredMonth]) -> str:
    return ", ".join(month.month for month in months)


def _frozen_in_words(months: Sequence[MonitoredMonth]) -> str:
    """How the champions stand beside the frozen version; empty if they are the same."""
    beside = [month for month in months if month.record and month.record["difference"]]
    if not beside:
        return ""
    last = beside[-1]
    record = last.record or {}
    value, rmse = record["difference"]["value"], record["frozen"]["figures"]["rmse"]
    side = "below" if value < 0 else "above"
    interval = record["difference"]["interval"]
    sure = f" (95 % interval {interval[0]:+.2f} to {interval[1]:+.2f} minutes)" if interval else ""
    return (
        f"In {last.month} its RMSE is {percent(abs(value) / rmse if rmse else 0.0)} {side} that of "
        f"version {record['frozen']['version']}, which is {record['frozen_is']}{sure}."
    )


def _chart(months: Sequence[MonitoredMonth]) -> Any:
    series = {"champion": [month.figures("champion") for month in months]}
    if any(month.figures("frozen") for month in months):
        series["frozen version"] = [month.figures("frozen") for month in months]
    promised = {
        "promised": [_promised(month) for month in months],
        "promised, by spread": [_promised_by_spread(month) for month in months],
    }
    decayed = [month.verdict == DECAYED for month in months]
    return chart(
        "RMSE by month",
        "; ".join(_described(name, months, figures) for name, figures in series.items())
        + ". Bars are 95 % intervals. Dashes are what the champion's evaluation promised, dots the "
        "same share of the standard deviation of the month's durations.",
        lambda axes: draw_course(axes, [one.month for one in months], series, promised, decayed),
    )


def _promised(month: MonitoredMonth) -> float | None:
    """The RMSE that the champion's evaluation promised; None if that is not known."""
    excess = month.record["champion"]["rmse"] if month.record else None
    return float(excess["promised"]) if excess else None


def _promised_by_spread(month: MonitoredMonth) -> float | None:
    """The RMSE in minutes at which the promised share of the month's spread would be kept."""
    champion = month.record["champion"] if month.record else {}
    spread = champion.get("spread")
    if not spread or not spread["value"]:
        return None
    deviation = champion["figures"]["rmse"] / spread["value"]
    return float(spread["promised"] * deviation)


def _described(
    name: str, months: Sequence[MonitoredMonth], figures: Sequence[Mapping[str, float]]
) -> str:
    """The figures of a line of the chart, in words."""
    told = ", ".join(
        f"{as_text(found['rmse'], 'minutes')} in {month.month}"
        for month, found in zip(months, figures, strict=True)
        if found
    )
    return f"{name}: {told or 'not counted'}"
