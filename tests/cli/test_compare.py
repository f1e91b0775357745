"""``compare A B``: which is better, on the same trips, of what is there."""

import json
import shlex
import shutil

import pytest
from command_line import CommandLine
from evaluated_roots import SOURCE
from plan_folders import untouched
from processes import python

from taxi_pipeline.cli.main import main
from taxi_pipeline.evaluation import side_by_side
from taxi_pipeline.tasks.evaluate import EvaluateModel


@pytest.fixture
def compare(evaluated, capsys):
    """The exit code of the command, and what it printed."""

    def run(*arguments):
        code = main(["compare", *arguments])
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return run


@pytest.fixture
def compared(compare):
    """What the command prints as JSON."""

    def run(*arguments):
        code, out, error = compare(*arguments, "--json")
        assert (code, error) == (0, "")
        return json.loads(out)

    return run


@pytest.fixture
def refused(compare):
    """The one line with which the command fails."""

    def run(*arguments):
        code, out, error = compare(*arguments)
        assert (code, out) == (1, "")
        assert error.startswith("ERROR: ")
        assert error.count("\n") == 1
        return error.removeprefix("ERROR: ").rstrip()

    return run


def months(found):
    return [month["month"] for month in found["months"]]


# --- what is compared -------------------------------------------------------------------------


def test_the_answer_comes_first_and_nothing_is_written(evaluated):
    command = ("-m", "taxi_pipeline", "compare", "course", "linear", "--source-url", SOURCE)
    with untouched(evaluated.folder):
        answer = python(evaluated.folder, *command)
    assert (answer.returncode, answer.stderr) == (0, "")
    first, second, header, january, february, together, *_ = answer.stdout.splitlines()
    assert first.startswith("course is better than linear by ")
    assert first.count(" on 2021-02 to 2021-03: RMSE ") == 1
    assert second == "RMSE in minutes; below 0 the first is better:"
    assert header.split()[:5] == ["judged", "on", "trips", "course", "linear"]
    assert [line.split()[0] for line in (january, february, together)] == [
        *("2021-02", "2021-03", "all")
    ]


def test_figures_are_those_of_the_evaluations(evaluated, compared):
    found = compared("course", "linear")
    for place, month in enumerate((1, 2)):
        for side, name in (("first_rmse", "course"), ("second_rmse", "linear")):
            manifest = json.loads((evaluated.output(name, month) / "manifest.json").read_text())
            assert found["months"][place][side] == pytest.approx(manifest["rmse"], rel=1e-6)
            assert found["months"][place]["rows"] == manifest["rows"]
    assert found["evaluations"] == {
        f"2021-{month:02d}": [evaluated.keys[name][month] for name in ("course", "linear")]
        for month in (1, 2)
    }


def test_months_are_those_for_which_both_are_there(compared):
    assert months(compared("linear", "linear-w2")) == ["2021-03"]
    assert months(compared("linear", "linear-w1")) == ["2021-02", "2021-03", "2021-04"]


def test_a_range_is_compared_without_its_stop(compared):
    assert months(compared("linear", "course", "--start", "2021-01", "--stop", "2021-02")) == [
        "2021-02"
    ]


def test_a_configuration_is_named_by_the_key_of_one_of_its_evaluations(evaluated, compared):
    seeded = evaluated.keys["seeded"]
    found = compared("linear", f"linear:{seeded[2][:8]}")
    assert months(found) == ["2021-02", "2021-03"]
    assert [keys[1] for keys in found["evaluations"].values()] == list(seeded.values())
    # The seed decides nothing in least squares.
    assert "do not differ beyond noise" in found["sentence"]


def test_parts_are_told_with_how_many_would_differ_by_chance(compare):
    _, out, _ = compare("course", "linear", "--gate-min-slice-trips", "100")
    assert "Where course is better beyond noise, the largest first:" in out
    assert "\norigin: " in out or "\nmiles: " in out or "\nweekday: " in out
    assert "would seem to differ by chance alone." in out.splitlines()[-1]


def test_without_the_features_the_parts_are_left_out_and_the_answer_stays(evaluated, compared):
    whole = compared("course", "linear")
    shutil.rmtree(evaluated.folder / "data" / "features" / "green" / "2021-02")
    shutil.rmtree(evaluated.folder / "data" / "features" / "green" / "2021-03")
    found = compared("course", "linear")
    assert found["sentence"] == whole["sentence"]
    assert found["slices"] == []
    assert found["remarks"] == [
        f"The features of 2021-{month} are gone, so its parts are left out"
        for month in ("02", "03")
    ]


# --- other trips ------------------------------------------------------------------------------


def test_evaluations_on_other_trips_are_refused_with_the_reason(evaluated, refused):
    name = f"linear:{evaluated.keys['cut'][1][:8]}"
    for arguments in ((), ("--start", "2021-01", "--stop", "2021-02")):
        line = refused("linear", name, *arguments)
        assert line.startswith("2021-02 is not compared: linear was judged on ")
        assert "(cleaning.max_minutes 60.0 against 40.0)" in line
        assert line.endswith("so that their errors differ by the trips as well")


def test_a_month_of_other_trips_is_left_out_with_a_remark(evaluated, compared, monkeypatch):
    answers = iter((False, True))
    monkeypatch.setattr(side_by_side, "same_trips", lambda *_: next(answers))
    found = compared("course", "linear")
    assert months(found) == ["2021-03"]
    assert found["remarks"][0].startswith("2021-02 is not compared: course was judged on ")


# --- what is missing --------------------------------------------------------------------------


def test_what_is_missing_is_told_with_a_command_that_makes_it(evaluated, compare, refused):
    flags = ("--start", "2021-02", "--stop", "2021-03", "--source-url", SOURCE)
    line = refused("linear", "linear-w3", *flags)
    told, _, command = line.partition("2021-02: ")
    assert told == "linear-w3 has no evaluation by the present configuration trained to "
    *words, _, _ = shlex.split(command)  # makes it
    assert words[:2] == ["taxi-pipeline", "run"]
    made = CommandLine(evaluated.folder)(*words[2:])
    assert made.returncode == 0, made.stderr
    assert compare("linear", "linear-w3", *flags)[0] == 0


def test_several_missing_months_are_one_command(refused):
    line = refused("course", "trip")
    assert "trained to 2021-01, 2021-02: taxi-pipeline run BackfillMonths" in line
    assert "--of EvaluateModel --start 2021-01 --stop 2021-03 --local-scheduler makes it" in line


def test_a_missing_month_of_a_named_configuration_is_made_by_its_options(evaluated, refused):
    name = f"linear:{evaluated.keys['seeded'][1][:8]}"
    line = refused("linear", name, "--start", "2021-03", "--stop", "2021-04")
    assert f"{name} has no evaluation by that configuration trained to 2021-03" in line
    assert line.endswith(
        "--year 2021 --month 3 --recipe linear --training-seed 3 --local-scheduler makes it"
    )


def test_evaluations_of_other_configurations_are_listed(evaluated, refused):
    line = refused("linear", "course", "--cleaning-max-minutes", "40")
    digits = evaluated.keys["course"][1][:8]
    assert "course has no evaluation by the present configuration trained to 2021-01" in line
    assert line.endswith(f"; there are course-w1:{digits} (cleaning.max_minutes 60.0)")


def test_where_nothing_is_evaluated_the_first_command_is_told(refused):
    line = refused("linear", "course", "--taxi", "yellow")
    assert "EvaluateModel --year 2021 --month 1 --taxi yellow --recipe course --local" in line


def test_damage_is_one_line_and_its_command_is_that_of_what_is_missing(evaluated, refused):
    path = evaluated.output("course", 2) / EvaluateModel.PREDICTIONS
    content = path.read_bytes()
    path.write_bytes(content[:-9] + bytes([content[-9] ^ 255]) + content[-8:])
    line = refused("linear", "course")
    assert "predictions.parquet is not what was published; it was set aside as" in line
    command = (
        "taxi-pipeline run EvaluateModel --year 2021 --month 2 --recipe course --local-scheduler "
        "makes it"
    )
    assert line.endswith(f": {command}")
    again = refused("linear", "course", "--start", "2021-01", "--stop", "2021-03")
    assert again.endswith(f"trained to 2021-02: {command}")


# --- what means nothing -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("nosuch", "linear"), "no recipe is named 'nosuch'"),
        (("linear", "linear:xyz"), "'linear:xyz' names no candidate"),
        (("linear", "linear:00000000"), "no key begins with 00000000; there are linear-w1:"),
        (("linear", "trip:00"), "there are none of trip-w1"),
        (("linear", "course", "--start", "2021-01"), "given together, or neither"),
        (("linear", "course", "--stop", "2021-01"), "given together, or neither"),
        (("linear", "course", "--start", "2021-02", "--stop", "2021-02"), "no month in this range"),
        (("linear", "course", "--storage-root", "nowhere"), "/nowhere is not there"),
        (("linear", "course", "--cleaning-max-minutes", "x"), "[cleaning] max_minutes is 'x'"),
    ],
)
def test_what_means_nothing_is_one_line(refused, arguments, told):
    assert told in refused(*arguments)


def test_what_is_no_month_is_refused_by_the_parser(evaluated):
    command = ("-m", "taxi_pipeline", "compare", "a", "b", "--start", "January")
    answer = python(evaluated.folder, *command)
    assert answer.returncode == 2
    assert "a month is written YYYY-MM, not 'January'" in answer.stderr.splitlines()[-1]
