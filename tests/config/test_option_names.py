"""Failures of pure functions, said in the words of the configuration."""

import pytest

from taxi_pipeline import config
from taxi_pipeline.config.option_names import name_options


@pytest.mark.parametrize(
    ("text", "sections", "said"),
    [
        ("check `url`", [config.source], "check [source] url"),
        ("check `url`", [config.source, config.storage], "check [source] url"),
        ("check `url`", [config.storage, config.source], "check [storage] url"),
        (
            "raise `attempts` or `timeout`, or empty `root`",
            [config.source, config.storage],
            "raise [source] attempts or [source] timeout, or empty [storage] root",
        ),
    ],
)
def test_an_argument_is_named_as_the_option_of_the_first_section_that_has_it(text, sections, said):
    assert name_options(text, sections) == said


@pytest.mark.parametrize("text", ["", "no url", "url", "`URL`", "`url", "`a url`", "`rows`", "``"])
def test_a_text_that_names_no_option_in_backticks_stays_as_it_is(text):
    assert name_options(text, [config.source]) == text


def test_without_sections_a_text_stays_as_it_is():
    assert name_options("check `url`", []) == "check `url`"


@pytest.mark.parametrize("section", config.SECTIONS, ids=lambda section: section.__name__)
def test_every_option_can_be_named(section):
    for name, _ in section.get_params():
        assert name_options(f"`{name}`", [section]) == f"[{section.__name__}] {name}"
