"""Hyperparameters are chosen inside the training window."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, ClassVar

from taxi_pipeline import config
from taxi_pipeline.errors import DamagedOutput
from taxi_pipeline.identity import Identity, digest
from taxi_pipeline.logger import logger
from taxi_pipeline.storage import Storage, layout
from taxi_pipeline.tasks.base import RecipeStage
from taxi_pipeline.tasks.features import BuildFeatures

if TYPE_CHECKING:
    from taxi_pipeline.tracking.records import Search
    from taxi_pipeline.tuning.trials import Trial


class TuneHyperparameters(RecipeStage):
    """Search for the parameters and rounds with which the recipe does best.

    Each trial is written down as it ends, under a key of all that decides what comes of it. So a
    search that was interrupted goes on where it was, and so does one that is given more trials.
    """

    stage = "tune"
    version: ClassVar[int] = 2
    sections: ClassVar = (config.tuning,)

    CHOICE = "choice.json"
    TRIALS = "trials.csv"
    PLOT = "search.png"
    # What the chosen final fit predicts for the window's last days; outputs of before lack it.
    LATE = "late.parquet"

    @property
    def resources(self) -> dict[str, int]:  # type: ignore[override]  # as in Stage
        """A core for each thread."""
        return {"cpu": self.thread_count}

    def requires(self) -> list[BuildFeatures]:
        """The features of the training window."""
        return self.months(BuildFeatures)

    def window_files(self) -> list[Path]:
        """The feature files of the training window, oldest month first."""
        return [output.file(BuildFeatures.FILE) for output in self.input()]

    @property
    def search_key(self) -> str:
        """The digest of all that decides what comes of a trial: not how many there are."""
        identity = self.identity()
        if identity is None:
            raise RuntimeError(f"{self.label} has no search before its months are ingested")
        return self.search_key_of(identity)

    @staticmethod
    def search_key_of(identity: Identity) -> str:
        """The key of the search that an output of an identity came from."""
        of_a_trial = {name: identity.config[f"tuning.{name}"] for name in config.tuning.OF_A_TRIAL}
        return digest(dataclasses.asdict(dataclasses.replace(identity, config=of_a_trial)))

    @property
    def journal(self) -> TrialFolder:
        """Where the trials of this search are written down."""
        return TrialFolder(self.storage, layout.trials_dir(self.task_dir, self.search_key))

    def make(self, folder: Path) -> Mapping[str, Any]:
        """Write the choice, the trials as a table, a plot, and predictions of the last days."""
        import pandas as pd

        from taxi_pipeline.model.feature_files import FeatureFiles
        from taxi_pipeline.tuning import search as tuning
        from taxi_pipeline.tuning.budget import Budget

        settings = config.tuning()
        trials: dict[int, Trial] = {}
        on_cluster = self.cluster() if self.chosen_recipe.space else contextlib.nullcontext()
        with on_cluster as cluster, contextlib.closing(_LiveCopy(self)) as live:

            def progress(trial: Trial, done: int, total: int, best: float | None) -> None:
                trials[trial.number] = trial
                leader = "all failed so far" if best is None else f"best {best:.4f}"
                self.report(f"trial {done}/{total}, {leader}", done, total)
                live.offer(trials.values())

            result = tuning.search(
                self.chosen_recipe,
                FeatureFiles(self.window_files(), self.chosen_recipe.training_columns),
                window_end=self.calendar_month.end,
                holdout_days=settings.holdout_days,
                budget=Budget(
                    **{
                        budget.name: getattr(settings, budget.name)
                        for budget in dataclasses.fields(Budget)
                    }
                ),
                seed=settings.seed,
                threads=self.thread_count,
                device=self.device,
                journal=self.journal,
                # Trials differ in their parameters, and have the encoded trips in common.
                executor=cluster.executor(once=("data",)) if cluster else None,
                progress=progress,
            )
            if result.trials:
                live.offer(result.trials, ended=True)
        (folder / self.CHOICE).write_text(json.dumps(result.as_json(), indent=2) + "\n")
        pd.DataFrame([trial.as_row() for trial in result.trials]).to_csv(
            folder / self.TRIALS, index=False
        )
        if result.rmse is None:
            return {"summary": f"recipe {self.recipe} is not tuned", "trials": 0}

        if result.late is not None:
            result.late.to_parquet(folder / self.LATE, index=False, compression="zstd")

        from taxi_pipeline.tuning import plots

        plots.plot(
            result.trials,
            folder / self.PLOT,
            result.finalists,
            f"Search for recipe {self.recipe}, {self.taxi} taxi, {self.window_in_words}: "
            f"RMSE {result.rmse:.4f} minutes on the last {settings.holdout_days} days",
        )
        return {
            "summary": f"{result.outcome} (RMSE on the window's last {settings.holdout_days} days)",
            "trials": len(result.trials),
            "rmse": result.rmse,
            "tuned_by": result.tuned_by,
        }

    def search(self, trials: Sequence[Trial]) -> Search:
        """The search with some of its trials, as MLflow is to hold it."""
        from taxi_pipeline.tracking.records import Search

        return Search(
            key=self.search_key,
            name=f"search {self.run_name}",
            tags={"recipe": self.recipe, "taxi": self.taxi},
            trials=trials,
        )


class TrialFolder:
    """A folder of the storage that holds a file for each trial of a search."""

    def __init__(self, storage: Storage, location: str) -> None:
        self.storage = storage
        self.location = location

    def get(self, number: int) -> Trial | None:
        """The trial of a number, if it has ended."""
        from taxi_pipeline.tuning.trials import Trial

        try:
            content = self.storage.read_json(self._file(number))
        except DamagedOutput as error:
            aside = self.storage.set_aside(self._file(number))
            logger.warning("%s; it was set aside as %s, and the trial runs again", error, aside)
            return None
        return None if content is None else Trial.from_json(content)

    def add(self, trial: Trial) -> Trial:
        """Write a trial down; the answer is the one of that number that was there first."""
        if self.storage.write_json_exclusive(self._file(trial.number), trial.as_json()):
            return trial
        return self.get(trial.number) or trial

    def _file(self, number: int) -> str:
        return layout.trial_file(self.location, number)


class _LiveCopy:
    """Copies a search to MLflow while it runs, as a best effort.

    The search never waits for the server, and MLflow is imported while XGBoost computes. What is
    not copied by the end, RegisterModel copies.
    """

    INTERVAL = 5.0
    LAST_WAIT = 10.0

    def __init__(self, task: TuneHyperparameters) -> None:
        self.task = task
        self.begun = 0.0
        self.given_up = False
        self.offers: SimpleQueue[tuple[list[Trial], bool] | None] = SimpleQueue()
        # A daemon: a server that hangs does not keep the process from ending.
        self.thread = threading.Thread(target=self._run, name="mlflow", daemon=True)

    def offer(self, trials: Iterable[Trial], *, ended: bool = False) -> None:
        """Copy the trials, unless others were copied a moment ago and more will follow."""
        recent = self.begun and time.monotonic() - self.begun < self.INTERVAL
        if recent and not ended:
            return
        if not self.begun:
            self.thread.start()
        self.begun = time.monotonic()
        self.offers.put((list(trials), ended))

    def close(self) -> None:
        """Let a copy that is being made come to its end, unless the server hangs."""
        if not self.begun:
            return
        self.offers.put(None)
        self.thread.join(self.LAST_WAIT)
        if self.thread.is_alive() and not self.given_up:
            self.given_up = True
            logger.warning(
                "%s: the MLflow server takes too long, RegisterModel copies the rest of the search",
                self.task.label,
            )

    def _run(self) -> None:
        from taxi_pipeline.tracking.searches import log_search

        while (offer := self.offers.get()) is not None and not self.given_up:
            trials, ended = offer
            try:
                link = log_search(
                    self.task.server(),
                    self.task.search(trials),
                    ended=ended,
                    wanted=lambda: not self.given_up,
                )
            except Exception as error:  # noqa: BLE001  (whatever it is, the search goes on)
                self.given_up = True
                logger.warning("%s: not in MLflow while it runs: %s", self.task.label, error)
            else:
                self.task.set_tracking_link(link.url)
