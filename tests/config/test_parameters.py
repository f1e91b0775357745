import math
from datetime import date, datetime

import luigi
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from luigi.cmdline_parser import CmdlineParser
from luigi.parameter import MissingParameterException

from taxi_pipeline.config.parameters import (
    BoolParameter,
    BoundedFloatParameter,
    BoundedIntParameter,
    ChoiceParameter,
    MonthParameter,
    StrParameter,
)
from taxi_pipeline.errors import InvalidConfig, InvalidParameter, TaxiPipelineError
from taxi_pipeline.month import Month

numbers = st.floats(allow_nan=False)
months = st.builds(Month, st.integers(1, 9999), st.integers(1, 12))


def refuse_spaces(text):
    if " " in text:
        raise InvalidConfig(f"[parameter_options] title is {text!r}: spaces are not usable")


class ParameterTask(luigi.Task):
    month: BoundedIntParameter = BoundedIntParameter(1, 12)
    taxi: ChoiceParameter = ChoiceParameter(("green", "yellow"), default="green")
    share: BoundedFloatParameter = BoundedFloatParameter(0, 1, default=0.5)
    keep_all: BoolParameter = BoolParameter(default=False)
    title: StrParameter = StrParameter(default="")
    start: MonthParameter = MonthParameter(default=Month(2021, 1))


class parameter_options(luigi.Config):  # noqa: N801
    month: BoundedIntParameter = BoundedIntParameter(1, 12, default=1)
    rows: BoundedIntParameter = BoundedIntParameter(1000, default=2000)
    taxi: ChoiceParameter = ChoiceParameter(("green", "yellow"), default="green")
    share: BoundedFloatParameter = BoundedFloatParameter(0, 1, default=0.5)
    miles: BoundedFloatParameter = BoundedFloatParameter(-1, default=math.inf)
    keep_all: BoolParameter = BoolParameter(default=False)
    title: StrParameter = StrParameter(check=refuse_spaces, default="")
    start: MonthParameter = MonthParameter(default=Month(2021, 1))


def param(name):
    return getattr(parameter_options, name)


# --- what is accepted -------------------------------------------------------------------------


@pytest.mark.parametrize("given_value", ["7", " 7 ", "07", 7, 7.0])
def test_a_whole_number_is_read_from_text_and_from_numbers(given_value):
    value = param("month").normalize(given_value)
    assert value == 7
    assert type(value) is int


@pytest.mark.parametrize("given_value", ["1", "1.0", "1e0", 1, 1.0])
def test_a_number_is_read_from_text_and_from_numbers(given_value):
    value = param("share").normalize(given_value)
    assert value == 1.0
    assert type(value) is float


@pytest.mark.parametrize("given_value", ["inf", "Infinity", math.inf])
def test_infinity_is_a_number_where_no_bound_forbids_it(given_value):
    assert param("miles").normalize(given_value) == math.inf


@pytest.mark.parametrize(
    ("given_value", "value"),
    [
        ("true", True),
        ("True", True),
        ("TRUE", True),
        (True, True),
        ("false", False),
        ("False", False),
        (False, False),
    ],
)
def test_a_flag_is_read_from_itself_and_from_its_name_in_any_case(given_value, value):
    assert param("keep_all").normalize(given_value) is value


@pytest.mark.parametrize(
    "given_value",
    ["2021-03", Month(2021, 3), date(2021, 3, 31), datetime(2021, 3, 31, 23, 59)],
)
def test_a_month_is_read_from_itself_from_its_text_and_from_dates(given_value):
    assert param("start").normalize(given_value) == Month(2021, 3)


def test_a_name_is_one_of_the_choices():
    assert param("taxi").normalize("yellow") == "yellow"


def test_text_is_kept_as_it_is():
    assert param("title").normalize("A%20{year}") == "A%20{year}"


def test_secrets_of_a_text_are_told_even_if_it_is_refused():
    told = []
    text = StrParameter(check=refuse_spaces, secrets=told.append)
    text.__set_name__(luigi.Config, "option")
    assert text.normalize("ab") == "ab"
    with pytest.raises(InvalidConfig):
        text.normalize("a b")
    assert told == ["ab", "a b"]


@given(st.integers(-100, 100), st.integers(0, 100), st.integers(-300, 300))
def test_whole_numbers_within_both_bounds_are_accepted_and_no_others(minimum, span, value):
    whole = BoundedIntParameter(minimum, minimum + span)
    whole.__set_name__(luigi.Config, "option")
    if minimum <= value <= minimum + span:
        assert whole.normalize(str(value)) == whole.normalize(value) == value
    else:
        for form in (value, str(value), float(value)):
            with pytest.raises(InvalidConfig):
                whole.normalize(form)


@given(numbers, numbers, numbers)
def test_numbers_within_both_bounds_are_accepted_and_no_others(one, other, value):
    minimum, maximum = sorted((one, other))
    real = BoundedFloatParameter(minimum, maximum)
    real.__set_name__(luigi.Config, "option")
    if minimum <= value <= maximum:
        assert real.normalize(str(value)) == real.normalize(value) == value
    else:
        for form in (value, str(value)):
            with pytest.raises(InvalidConfig):
                real.normalize(form)


# --- what is refused --------------------------------------------------------------------------


NO_WHOLE_NUMBERS = [True, False, 1.5, "1.5", "7.0", "1e3", "1e0", "0x7", "", "seven", None, [7]]


@pytest.mark.parametrize("value", [*NO_WHOLE_NUMBERS, "nan", math.nan, "inf", math.inf, b"7"])
def test_what_is_no_whole_number_is_refused(value):
    with pytest.raises(InvalidConfig):
        param("month").normalize(value)


@pytest.mark.parametrize("value", [0, 13, "0", "13", -1, "-1", 12.5, 10**400])
def test_a_whole_number_beyond_its_bounds_is_refused(value):
    with pytest.raises(InvalidConfig):
        param("month").normalize(value)


@pytest.mark.parametrize("value", ["nan", "NaN", math.nan, "-nan", "", "half", None, [0.5], 1j])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(InvalidConfig):
        param("share").normalize(value)


@pytest.mark.parametrize("value", [math.nan, "nan"])
def test_nan_is_no_number_even_where_nothing_bounds_it(value):
    real = BoundedFloatParameter(-math.inf)
    real.__set_name__(luigi.Config, "option")
    with pytest.raises(InvalidConfig):
        real.normalize(value)


@pytest.mark.parametrize("value", [-0.1, 1.1, "1.0001", math.inf, "-inf", 10**400])
def test_a_number_beyond_its_bounds_is_refused(value):
    with pytest.raises(InvalidConfig):
        param("share").normalize(value)


@pytest.mark.parametrize("value", ["yes", "no", "1", "0", 1, 0, "", " true", None])
def test_what_is_neither_true_nor_false_is_refused(value):
    with pytest.raises(InvalidConfig):
        param("keep_all").normalize(value)


NO_MONTHS = ["2021-13", "2021-00", "0000-01", "2021-1", "2021", "03-2021", "2021-03-01", " 2021-03"]


@pytest.mark.parametrize("value", [*NO_MONTHS, "", "March", None, 202103, 2021.3, (2021, 3), b"2"])
def test_what_is_no_month_is_refused(value):
    with pytest.raises(InvalidConfig):
        param("start").normalize(value)


@pytest.mark.parametrize("value", ["Green", "blue", "", " green", None, 1, ("green",)])
def test_a_name_that_is_no_choice_is_refused(value):
    with pytest.raises(InvalidConfig):
        param("taxi").normalize(value)


@pytest.mark.parametrize("value", [None, 1, True, b"text", ["text"]])
def test_what_is_no_text_is_refused(value):
    with pytest.raises(InvalidConfig):
        param("title").normalize(value)


# --- how it is said ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ({"month": 13}, "--month is 13: it must be a whole number from 1 to 12"),
        ({"month": "May"}, "--month is 'May': it must be a whole number from 1 to 12"),
        ({"month": 1, "taxi": "blue"}, "--taxi is 'blue': it must be one of green, yellow"),
        ({"month": 1, "share": "2"}, "--share is '2': it must be a number from 0 to 1"),
        ({"month": 1, "keep_all": "yes"}, "--keep-all is 'yes': it must be true or false"),
        ({"month": 1, "title": None}, "--title is None: it must be text"),
        (
            {"month": 1, "start": "2021-13"},
            "--start is '2021-13': it must be a month, written YYYY-MM",
        ),
    ],
)
def test_a_tasks_wrong_value_is_one_line_that_names_the_flag(arguments, line):
    with pytest.raises(InvalidParameter) as raised:
        ParameterTask(**arguments)
    assert str(raised.value) == line


@pytest.mark.parametrize(
    ("option", "value", "line"),
    [
        ("month", "13", "month is '13': it must be a whole number from 1 to 12"),
        ("rows", "999", "rows is '999': it must be a whole number, 1000 or more"),
        ("taxi", "blue", "taxi is 'blue': it must be one of green, yellow"),
        ("share", "2", "share is '2': it must be a number from 0 to 1"),
        ("miles", "-2", "miles is '-2': it must be a number, -1 or more"),
        ("keep_all", "yes", "keep_all is 'yes': it must be true or false"),
        ("title", "a b", "title is 'a b': spaces are not usable"),
        ("start", "2021", "start is '2021': it must be a month, written YYYY-MM"),
    ],
)
def test_a_sections_wrong_value_is_one_line_that_names_section_and_option(
    luigi_config, option, value, line
):
    luigi_config("parameter_options", option, value)
    with pytest.raises(InvalidConfig) as raised:
        parameter_options()
    assert str(raised.value) == f"[parameter_options] {line}"


@given(st.text())
def test_the_line_stays_one_line_whatever_the_text(text):
    assume(text not in ("green", "yellow"))
    with pytest.raises(InvalidConfig) as raised:
        param("taxi").normalize(text)
    assert len(str(raised.value).splitlines()) == 1


def test_a_wrong_value_is_a_value_error_and_one_for_a_user():
    for kind in (InvalidConfig, InvalidParameter):
        assert issubclass(kind, ValueError)
        assert issubclass(kind, TaxiPipelineError)


def test_the_conversions_own_error_is_not_shown():
    with pytest.raises(InvalidConfig) as raised:
        param("month").normalize("May")
    assert raised.value.__suppress_context__
    assert raised.value.__cause__ is None


# --- where values come from -------------------------------------------------------------------


def task_from(*arguments):
    with CmdlineParser.global_instance(["ParameterTask", *arguments]) as parser:
        return parser.get_task_obj()


def test_the_command_line_and_python_give_the_same_task(luigi_config):
    typed = task_from("--month", "07", "--keep-all", "TRUE", "--share", "1", "--start", "2021-03")
    made = ParameterTask(month=7, keep_all=True, share=1.0, start=date(2021, 3, 31))
    assert typed == made
    assert typed.task_id == made.task_id
    assert typed.param_kwargs == made.param_kwargs


def test_a_wrong_value_on_the_command_line_names_the_flag(luigi_config):
    with pytest.raises(InvalidParameter, match=r"^--month is '13': it must be a whole number"):
        task_from("--month", "13")


def test_a_wrong_default_in_the_configuration_of_a_task_names_the_flag(luigi_config):
    luigi_config("ParameterTask", "taxi", "blue")
    with pytest.raises(InvalidParameter, match=r"^--taxi is 'blue': it must be one of"):
        ParameterTask(month=1)


def test_a_value_without_default_must_be_given(luigi_config):
    with pytest.raises(MissingParameterException, match="month"):
        ParameterTask()


# --- there and back ---------------------------------------------------------------------------


def read_back(parameter, value):
    return parameter.normalize(parameter.parse(parameter.serialize(value)))


@given(st.integers(1000))
def test_a_whole_number_is_read_back_from_its_text(value):
    assert read_back(param("rows"), value) == value


@given(st.floats(-1, math.inf))
def test_a_number_is_read_back_from_its_text_to_the_last_digit(value):
    assert read_back(param("miles"), value) == value


@given(st.booleans())
def test_a_flag_is_read_back_from_its_text(value):
    assert read_back(param("keep_all"), value) is value


@given(months)
def test_a_month_is_read_back_from_its_text(value):
    assert read_back(param("start"), value) == value


def test_a_flags_text_is_in_small_letters():
    assert [param("keep_all").serialize(value) for value in (True, False)] == ["true", "false"]


@given(st.text())
def test_text_is_read_back_as_it_was(value):
    assert read_back(ParameterTask.title, value) == value


@given(
    st.fixed_dictionaries(
        {
            "month": st.integers(1, 12),
            "taxi": st.sampled_from(("green", "yellow")),
            "share": st.floats(0, 1),
            "keep_all": st.booleans(),
            "title": st.text(),
            "start": months,
        }
    )
)
def test_a_task_is_made_again_from_the_texts_that_the_scheduler_keeps(values):
    task = ParameterTask(**values)
    assert ParameterTask.from_str_params(task.to_str_params()) == task
