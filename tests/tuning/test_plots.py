"""The picture of a search, and which parameters mattered in it."""

import matplotlib.image
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from taxi_pipeline.tuning.plots import MARKERS, MIN_TRIALS, TOO_FEW, importance, plot
from taxi_pipeline.tuning.results import OWN, Finalist
from taxi_pipeline.tuning.trials import Trial

NAMES = ("depth", "weight", "share")


def trials_of(count, error=lambda p: p["depth"], status="finished", seed=0):
    """Trials at random whose error at the first rung is a function of their parameters."""
    draw = np.random.default_rng(seed)
    trials = []
    for number in range(1, count + 1):
        parameters = {
            "depth": int(draw.integers(6, 12)),
            "weight": float(draw.uniform(20, 200)),
            "share": float(draw.uniform(0.3, 0.8)),
        }
        first = float(error(parameters))
        rungs = {"8": first, "16": first - draw.uniform(0, 1), "32": first - 2}
        trials.append(Trial(number, parameters, status, rungs["32"], 32, rungs))
    return trials


def failed(*numbers):
    parameters = {"depth": 6, "weight": 20.0, "share": 0.5}
    return [Trial(n, parameters, "failed", error="MemoryError: no room") for n in numbers]


@pytest.fixture
def drawn(monkeypatch, tmp_path):
    """Plots trials; the two halves of the figure."""

    def halves(trials, finalists=(), title=""):
        figures = []
        save = Figure.savefig
        monkeypatch.setattr(
            Figure, "savefig", lambda self, *a, **k: (figures.append(self), save(self, *a, **k))
        )
        plot(trials, tmp_path / "search.png", finalists, title)
        return figures[0].axes

    return halves


@pytest.mark.parametrize("name", NAMES)
def test_the_parameter_that_matters_weighs_most(name):
    spread = {"depth": 6, "weight": 180, "share": 0.5}[name]
    weights = importance(trials_of(30, lambda p: 5 + 0.0001 * p[name] / spread))
    assert next(iter(weights)) == name
    assert weights[name] > 0.5


@settings(max_examples=20)
@given(count=st.integers(MIN_TRIALS, 40), seed=st.integers(0, 99), by=st.sampled_from(NAMES))
def test_weights_are_shares_of_all_by_falling_weight(count, seed, by):
    weights = importance(trials_of(count, lambda p: p[by], seed=seed))
    assert sorted(weights) == sorted(NAMES)
    assert list(weights.values()) == sorted(weights.values(), reverse=True)
    assert min(weights.values()) >= 0
    assert sum(weights.values()) == pytest.approx(1, abs=0.001)


def test_parameters_are_weighed_by_the_first_rung():
    trials = [
        Trial(
            trial.number,
            trial.parameters,
            "finished",
            rmse=trial.parameters["weight"],
            rungs={"16": trial.parameters["weight"], "8": trial.parameters["share"]},
        )
        for trial in trials_of(30)
    ]
    assert next(iter(importance(trials))) == "share"


def test_below_eight_trials_nothing_is_said_of_weights():
    assert importance(trials_of(7)) == {}
    assert importance(trials_of(7) + failed(8, 9)) == {}
    assert importance(trials_of(8)) != {}


def test_trials_that_reached_no_rung_have_no_part_in_the_weights():
    trials = trials_of(12)
    short = Trial(15, trials[0].parameters, "finished", rmse=5.0, rounds=7)
    assert importance([*failed(13, 14), *trials, short]) == importance(trials)
    assert importance([short] * MIN_TRIALS) == {}


def test_stopped_trials_are_weighed_as_well():
    trials = trials_of(20, status="stopped")
    assert importance(trials) == importance(trials_of(20)) != {}


def test_where_nothing_differs_nothing_weighs():
    assert set(importance(trials_of(10, lambda _: 5.0)).values()) == {0.0}


@pytest.mark.parametrize(
    "trials",
    [
        trials_of(1),
        trials_of(20),
        trials_of(5, status="stopped"),
        [*trials_of(9), *failed(10)],
        failed(1, 2, 3),
    ],
    ids=["one", "many", "stopped", "some failed", "all failed"],
)
def test_a_plot_is_a_picture_that_says_something(tmp_path, trials):
    path = tmp_path / "search.png"
    plot(trials, path)
    assert path.read_bytes().startswith(b"\x89PNG")
    picture = matplotlib.image.imread(path)
    assert picture.shape[1] > picture.shape[0] > 400
    assert picture.std() > 0.01


def test_a_plot_shows_every_trial_by_what_became_of_it(drawn):
    finished, stopped = trials_of(4), trials_of(9, status="stopped")[4:]
    left, _ = drawn([*finished, *stopped, *failed(10)])
    shown = {points.get_label(): points.get_offsets().tolist() for points in left.collections}
    assert shown["finished trial"] == [[trial.number, trial.rmse] for trial in finished]
    told = "trial stopped early (smallest error until then)"
    assert shown[told] == [[trial.number, trial.rmse] for trial in stopped]
    assert [number for number, _ in shown["failed trial (has no error)"]] == [10]
    assert {text.get_text() for text in left.figure.legends[0].get_texts()} == {
        *shown,
        "best trial so far",
    }


def test_trials_of_each_status_have_a_marker_and_a_colour_of_their_own():
    assert len({marker for marker, _, _ in MARKERS.values()}) == len(MARKERS)
    assert len({colour for _, colour, _ in MARKERS.values()}) == len(MARKERS)


def test_a_plot_says_what_it_is_of_and_its_axes_have_units(drawn):
    left, right = drawn(trials_of(20), title="Search for recipe trip")
    assert left.figure.get_suptitle() == "Search for recipe trip"
    assert (left.get_xlabel(), "(minutes)" in left.get_ylabel()) == ("trial, by number", True)
    assert "%" in right.get_xlabel()


def test_a_plot_shows_where_trials_failed_even_if_all_did(drawn):
    (points,) = drawn(failed(1, 2, 3))[0].collections
    assert points.get_offsets()[:, 0].tolist() == [1, 2, 3]
    assert np.isfinite(points.get_offsets()).all()


def test_a_plots_line_is_the_best_error_so_far(drawn):
    trials = [*trials_of(5), *failed(6), *trials_of(9)[6:]]
    (line,) = drawn(trials)[0].lines
    measured = [trial for trial in trials if trial.rmse is not None]
    assert line.get_xdata().tolist() == [1, 2, 3, 4, 5, 7, 8, 9]
    assert line.get_ydata().tolist() == [
        min(trial.rmse for trial in measured[:n]) for n in range(1, len(measured) + 1)
    ]


def test_a_plot_has_a_line_for_each_final_fit_which_its_legend_explains(drawn):
    finalists = [Finalist(OWN, 3.25, 90), Finalist("trial 3", 3.5, 60, stopped=64)]
    left, _ = drawn(trials_of(5), finalists)
    heights = {line.get_label(): set(line.get_ydata()) for line in left.lines[1:]}
    assert heights == {
        "final fit of recipe's own parameters, fitted in full: 3.2500, chosen": {3.25},
        "final fit of trial 3, stopped at round 64, behind": {3.5},
    }
    looks = {(line.get_color(), line.get_linestyle()) for line in left.lines}
    assert len({colour for colour, _ in looks}) == len(looks) == 3
    assert heights.keys() < {text.get_text() for text in left.figure.legends[0].get_texts()}
    low, high = left.get_ylim()
    assert all(low < finalist.rmse < high for finalist in finalists)


def test_a_plots_bars_are_the_weights_the_heaviest_on_top(drawn):
    trials = trials_of(20)
    right = drawn(trials)[1]
    names = [label.get_text() for label in right.get_yticklabels()]
    assert dict(zip(names, [bar.get_width() for bar in right.patches], strict=True)) == importance(
        trials
    )
    assert names[-1] == "depth"


def test_a_plot_of_few_trials_says_that_they_are_too_few(drawn):
    right = drawn(trials_of(7))[1]
    assert [text.get_text() for text in right.texts] == [TOO_FEW]
    assert TOO_FEW not in [text.get_text() for text in drawn(trials_of(8))[1].texts]
