"""The age of an answer: how it is written, and what is said of other text."""

from datetime import timedelta

import pytest

from taxi_pipeline import config
from taxi_pipeline.config.option_checks import max_answer_age
from taxi_pipeline.errors import InvalidConfig


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("always", timedelta()),
        ("never", None),
        ("1 day", timedelta(days=1)),
        ("2 weeks", timedelta(weeks=2)),
        ("12 hours", timedelta(hours=12)),
        ("30 minutes", timedelta(minutes=30)),
        ("30minutes", timedelta(minutes=30)),
        ("0 days", timedelta()),
    ],
)
def test_an_age_is_read(text, age):
    assert max_answer_age(text) == age


@pytest.mark.parametrize(
    "text", ["", "soon", "1", "day", "-1 day", "1.5 days", "1 year", "1 day ", "9999999 days"]
)
def test_other_text_is_one_line_that_says_what_it_may_be(luigi_config, text):
    luigi_config("source", "check", text)
    with pytest.raises(InvalidConfig) as caught:
        config.source()
    assert str(caught.value) == (
        f"[source] check is {text!r}: it must be always, never, or an age such as 1 day, "
        "12 hours or 30 minutes"
    )


def test_the_source_is_asked_once_a_day_by_default(luigi_config):
    assert config.source().max_answer_age == timedelta(days=1)
