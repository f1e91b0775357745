"""What a month's file must be when it arrives."""

from __future__ import annotations

from taxi_pipeline.config.parameters import BoundedFloatParameter, ChoiceParameter
from taxi_pipeline.config.section import Section


class contract(Section):  # noqa: N801
    """What a month's file must show before it is accepted. No output depends on it."""

    min_month_share: BoundedFloatParameter = BoundedFloatParameter(
        0,
        1,
        default=0.5,
        significant=False,
        description="Share of a file's pickups that must lie in its month; 0 takes any file.",
    )
    warn_month_share: BoundedFloatParameter = BoundedFloatParameter(
        0,
        1,
        default=0.95,
        significant=False,
        description="Share of a file's pickups in its month below which there is a warning.",
    )
    min_rows_share: BoundedFloatParameter = BoundedFloatParameter(
        0,
        1,
        default=0.02,
        significant=False,
        description="Rows that a file must have, as a share of those of each month beside it that "
        "is ingested; 0 takes any file.",
    )
    warn_rows_share: BoundedFloatParameter = BoundedFloatParameter(
        0,
        1,
        default=0.5,
        significant=False,
        description="The same share, below which there is a warning.",
    )
    zoned_times: ChoiceParameter = ChoiceParameter(
        ("check", "convert"),
        default="check",
        significant=False,
        description="check: times labelled with a zone such as UTC are converted to New York's "
        "local time if the pickups show that the label is right; if they are New York's wall "
        "clock, or nothing tells, the file is refused. convert: the label is believed.",
    )
