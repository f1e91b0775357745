"""scripts/homework.py compares the recipe `linear` with scikit-learn and the published figures."""

import pytest
from places import REPOSITORY
from processes import python

from taxi_pipeline import Month
from taxi_pipeline.trips.synthetic.month import write_month

SCRIPT = REPOSITORY / "scripts" / "homework.py"


@pytest.fixture
def homework(tmp_path):
    def run(taxi, month):
        name = f"{taxi}_tripdata_{month}.parquet"
        write_month(tmp_path / name, taxi, month, rows=2000, seed=1)
        answer = python(tmp_path, SCRIPT, name)
        assert answer.stderr == ""
        return answer

    return run


@pytest.mark.parametrize("taxi", ["green", "yellow"])
def test_the_two_agree_on_any_month(homework, taxi):
    answer = homework(taxi, Month(2021, 2))
    assert answer.returncode == 0, answer.stdout
    assert answer.stdout.endswith("The two agree.\n")
    rows = answer.stdout.splitlines()[1].split()
    assert rows == ["rows", "2,000", "2,000"]


def test_another_file_under_the_name_of_the_published_one_has_not_its_figures(homework):
    answer = homework("yellow", Month(2023, 3))
    assert answer.returncode == 1
    assert "3,403,766" in answer.stdout
    assert answer.stdout.endswith("The recipe has NOT the published figures.\n")


def test_without_a_file_the_usage_is_shown(tmp_path):
    answer = python(tmp_path, SCRIPT)
    assert answer.returncode == 2
    assert "Usage: .venv/bin/python scripts/homework.py FILE" in answer.stdout
