import pytest
from hypothesis import given
from hypothesis import strategies as st

from taxi_pipeline.formatting import did_you_mean, format_bytes, format_seconds, pluralize, table

words = st.text("abc ", max_size=6)
tables = st.integers(1, 4).flatmap(
    lambda columns: st.lists(
        st.lists(words, min_size=columns, max_size=columns), min_size=1, max_size=5
    )
)


def test_words_are_set_to_the_left_and_numbers_to_the_right():
    rows = [("2021-01", "made", "76,518", "5.0910"), ("2021-02", "already there", "9", "")]
    assert table(("month", "status", "rows", "RMSE"), rows).splitlines() == [
        "month    status           rows    RMSE",
        "2021-01  made           76,518  5.0910",
        "2021-02  already there       9",
    ]


def test_one_word_sets_its_column_to_the_left():
    assert table(("version",), [("10",), ("none",), ("9",)]).splitlines() == [
        "version",
        "10",
        "none",
        "9",
    ]


def test_a_table_without_rows_is_its_header():
    assert table(("month", "status"), []) == "month  status"


@given(tables)
def test_each_column_begins_below_its_header(cells):
    header, *rows = cells
    widths = [max(len(line[place]) for line in cells) for place in range(len(header))]
    lines = table(header, rows).split("\n")
    assert len(lines) == len(cells)
    for line, row in zip(lines, cells, strict=True):
        assert line == line.rstrip()
        for place, cell in enumerate(row):
            begin = sum(widths[:place]) + 2 * place
            column = line[begin : begin + widths[place]]
            assert column.strip() == cell.strip()


def test_rows_of_another_length_are_a_defect():
    with pytest.raises(ValueError, match="zip"):
        table(("month", "status"), [("2021-01",)])


@pytest.mark.parametrize(
    ("number", "said"),
    [(0, "0 months"), (1, "1 month"), (2, "2 months"), (1200, "1,200 months")],
)
def test_things_are_counted(number, said):
    assert pluralize(number, "month") == said


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 KB"),
        (3_400_000, "3.4 MB"),
        (5_000_000_000, "5.0 GB"),
        (2_000_000_000_000_000, "2000.0 TB"),
    ],
)
def test_bytes_are_told_in_a_unit_that_suits_them(size, text):
    assert format_bytes(size) == text


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Registermodel", ": did you mean RegisterModel?"),
        ("TranModel", ": did you mean TrainModel?"),
        ("Unheard", ""),
    ],
)
def test_the_nearest_name_is_asked_for(name, told):
    assert did_you_mean(name, ["RegisterModel", "TrainModel"]) == told


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.4, "0 s"), (59.4, "59 s"), (59.6, "1 min 0 s"), (125, "2 min 5 s"), (4800, "1 h 20 min")],
)
def test_a_time_is_told_in_two_units(seconds, shown):
    assert format_seconds(seconds) == shown
