"""The facts of a small candidate."""

from dataclasses import replace
from html.parser import HTMLParser

import pytest
from month_pairs import FEBRUARY, month, moved
from small_models import JANUARY

from taxi_pipeline.evaluation.contributions import contributions
from taxi_pipeline.evaluation.coverage import measure_coverage
from taxi_pipeline.evaluation.drift import compare
from taxi_pipeline.evaluation.feature_drift import Thresholds
from taxi_pipeline.evaluation.judge import Evaluated, Opponent, Rules, judge
from taxi_pipeline.evaluation.pages.facts import (
    CandidateFacts,
    Lineage,
    MadeOutput,
    Quality,
    SourceFile,
)
from taxi_pipeline.model.intervals import calibrate
from taxi_pipeline.model.recipes import RECIPES
from taxi_pipeline.trips.quality import QualityReport
from taxi_pipeline.tuning.results import Finalist, TuningResult
from taxi_pipeline.tuning.trials import FAILED, FINISHED, STOPPED, Trial

OWN = RECIPES["trip"].parameters
CURVE = [12.0, 9.0, 7.0, 6.0, 5.5, 5.2, 5.1, 5.15]


@pytest.fixture(scope="session")
def tuning():
    parameters = {"max_depth": 8, "min_child_weight": 40.0}
    return TuningResult(
        {**OWN, **parameters},
        rounds=7,
        rmse=5.1,
        trials=[
            Trial(1, {name: OWN[name] for name in parameters}, FINISHED, 5.4, 8),
            Trial(2, parameters, FINISHED, 5.3, 8),
            Trial(3, parameters, STOPPED, 6.1, 8),
            Trial(4, parameters, FAILED, error="no memory"),
        ],
        finalists=[
            Finalist("recipe", 5.2, 6, None, CURVE[:6]),
            Finalist("trial 2", 5.1, 7, None, CURVE),
        ],
    )


@pytest.fixture(scope="module")
def coverage(january, models):
    predicted, actual = models["trip"].predict(january), january["minutes"].to_numpy()
    intervals = calibrate(january, predicted, actual, reads_distance=True)
    return measure_coverage(intervals, january, predicted, actual, learned_bias=0.1)


@pytest.fixture(scope="module")
def facts(january, result, models, tuning, coverage):
    """All that is told of a candidate that was compared with a champion."""
    figures = {"evaluation_month": "2021-02", **result.as_dict(), "caveat": ""}
    champion = result.predictions["predicted"].to_numpy("float64") + 0.5
    judgement = judge(
        Evaluated(figures, result.predictions, january, JANUARY),
        Opponent("version 1 of 2020-12", champion),
        Rules(min_gain=0.0, min_champion_gain=0.0, max_slice_loss=0.1, min_slice_trips=100),
    )
    quality = QualityReport(rows_read=3000, nulls={"passenger_count": 300})
    quality.drop("duration", 40)
    return CandidateFacts(
        model_name="nyc-green-taxi-duration-trip",
        taxi="green",
        recipe="trip",
        recipe_summary=RECIPES["trip"].summary,
        caveat="",
        trained_on="2021-01",
        evaluation_month="2021-02",
        figures=figures,
        slices=result.slices,
        predictions=result.predictions,
        features=january,
        gate={
            "candidate": "0123456789abcdef",
            "compared_with": {"version": "1", "training_month": "2020-12"},
            **judgement.as_dict(),
        },
        coverage=coverage,
        contributions=contributions(models["trip"], january, RECIPES["trip"].columns, 9),
        own_parameters=OWN,
        tuning=tuning,
        holdout_days=7,
        quality=[
            Quality("2021-01", "training", quality.as_dict()),
            Quality("2021-02", "evaluation", quality.as_dict()),
        ],
        drift=compare(
            month(),
            moved("hour", lambda hour: hour + 3, FEBRUARY),
            Thresholds(),
            taxi="green",
            model="the candidate",
            importance={"hour": 1.0, "miles": 9.0},
        ),
        lineage=Lineage(
            files=[SourceFile("green 2021-01", "training", 3000, "file:///a.parquet", "ab" * 32)],
            outputs=[MadeOutput("TrainModel green 2021-01", "fedcba9876543210", "2026-01-01", 1.5)],
            commit="c" * 40,
            changed=True,
            packages={"python": "3.11"},
            commands=["git checkout cccc", "luigi --module taxi_pipeline RegisterModel"],
        ),
    )


@pytest.fixture
def without_champion(facts):
    gate = {**facts.gate, "compared_with": None, "champion": {}, "champion_figures": {}}
    reasons = {"reasons": ["far below the baselines"], "decisive": ["far below the baselines"]}
    return replace(facts, gate={**gate, **reasons, "slices": []})


class Page(HTMLParser):
    """A page taken apart.

    Attributes:
        words: its text, but for styles.
        links: where it leads, and what it loads.
        open: the elements that were opened and not closed.
        ids: of its elements.
    """

    EMPTY = frozenset({"meta", "br", "image", "path", "use", "line", "rect", "img", "link"})

    def __init__(self, text):
        super().__init__()
        self.words, self.links, self.open, self.ids = [], [], [], []
        self.described = []
        self.feed(text)
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag, attrs):
        facts = dict(attrs)
        self.links += [facts[name] for name in ("href", "src", "xlink:href") if name in facts]
        self.ids += [facts["id"]] if "id" in facts else []
        if tag == "svg":
            self.described.append(facts.get("aria-label", ""))
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in self.EMPTY:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.words.append(data)


@pytest.fixture(scope="session")
def page():
    return Page
