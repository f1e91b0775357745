"""The trained model: features in, minutes out; and the folder that it is kept in."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from taxi_pipeline.errors import InvalidTraining
from taxi_pipeline.model import FEATURES_VERSION
from taxi_pipeline.model.components import build_component, describe_component
from taxi_pipeline.model.encoders import Encoder, TripEncoder
from taxi_pipeline.model.features import compute_features
from taxi_pipeline.model.recipes import known_recipe
from taxi_pipeline.model.regressors import Minutes, Regressor
from taxi_pipeline.trips import schema
from taxi_pipeline.trips.frames import to_table

DESCRIPTION = "model.json"

PART_ROWS = 32_768
"""Rows that are encoded and predicted at a time, so that memory is bounded."""

FEW_ROWS = 1_000
"""Rows below which a single thread is faster than several."""


@dataclass
class DurationModel:
    """A fitted recipe.

    Attributes:
        recipe: the recipe's name.
        recipe_version: the recipe's version.
        taxi: ``green`` or ``yellow``.
        max_miles: from this metered distance on, the distance counts as unknown.
        encoder: the fitted encoder.
        regressor: the fitted regressor.
        parallel: parts of many rows that are predicted at the same time, each in a thread. What a
            regressor does with threads of its own comes on top.
    """

    recipe: str
    recipe_version: int
    taxi: str
    max_miles: float
    encoder: Encoder
    regressor: Regressor
    parallel: int = 1

    def predict(self, features: pd.DataFrame) -> Minutes:
        """Minutes for trips described by :func:`taxi_pipeline.model.features.compute_features`."""
        return self._in_parts(self._predict, features)

    def _predict(self, features: pd.DataFrame) -> Minutes:
        return self.regressor.predict(self.encoder.transform(features))

    def _in_parts(self, predict: Callable[[pd.DataFrame], Minutes], rows: pd.DataFrame) -> Minutes:
        """Minutes for all rows, predicted so many at a time that memory is bounded."""
        if len(rows) <= PART_ROWS:
            return predict(rows)
        parts = (rows.iloc[first : first + PART_ROWS] for first in range(0, len(rows), PART_ROWS))
        if self.parallel == 1:
            return np.concatenate([predict(part) for part in parts])
        with ThreadPoolExecutor(self.parallel, thread_name_prefix="predict") as pool:
            return np.concatenate(list(pool.map(predict, parts)))

    def predict_trips(self, trips: pa.Table) -> Minutes:
        """Minutes for trips in canonical form, see :data:`taxi_pipeline.trips.schema.TRIP`."""
        return self.predict(self._features(trips))

    def predict_published(self, records: pd.DataFrame) -> Minutes:
        """Minutes for rows as TLC publishes them.

        Needs the columns of pickup time and both zones; the others may be missing, and so may
        single values of each. Zones may be unknown, numbers that mean nothing (not finite, negative
        ids) count as missing, and columns that the model does not read (fares, the drop-off time)
        are ignored. For the types that may be used see :func:`taxi_pipeline.trips.frames.to_table`.

        Returns:
            Minutes in the order of the rows.

        Raises:
            KeyError: the column of the pickup time or of a zone is missing.
            InvalidRecords: a column holds what is no number or no time.
        """
        if records.empty:
            return np.empty(0)
        return self._in_parts(lambda part: self._predict(self.published_features(part)), records)

    def published_features(self, records: pd.DataFrame) -> pd.DataFrame:
        """The features of rows as TLC publishes them; otherwise as :meth:`predict_published`."""
        return self._features(schema.canonical(to_table(records, self.taxi), self.taxi))

    def _features(self, trips: pa.Table) -> pd.DataFrame:
        # Waking Arrow's threads takes as long as the whole prediction of a row.
        many = trips.num_rows >= FEW_ROWS
        features = compute_features(trips, self.max_miles)
        described: pd.DataFrame = features.to_pandas(use_threads=many)
        return described

    def save(self, folder: Path | str) -> None:
        """Write the model into a folder: JSON, numpy's, skops' and XGBoost's formats, no pickle.

        The description names the classes of encoder and regressor, so that the model loads where
        its recipe is not known.

        Raises:
            InvalidRecipe: a class of the recipe's cannot be named so.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        description = {
            "recipe": self.recipe,
            "recipe_version": self.recipe_version,
            "features_version": FEATURES_VERSION,
            "taxi": self.taxi,
            "max_miles": self.max_miles,
            "encoder": describe_component(self.encoder),
            "regressor": describe_component(self.regressor),
        }
        (folder / DESCRIPTION).write_text(json.dumps(description, indent=2) + "\n")
        self.encoder.save(folder)
        self.regressor.save(folder)

    @classmethod
    def load(cls, folder: Path | str, threads: int = 1) -> DurationModel:
        """Read a model that :meth:`save` wrote.

        A model of the first version of this package does not name its classes: its recipe, which
        must be one of this package, makes them. Any other needs no recipe; where its recipe is
        known all the same, it must be of the same version.

        Args:
            folder: where the model is.
            threads: threads of a prediction.

        Raises:
            InvalidTraining: the model was made by code whose features or recipe mean something
                else than this code's.
            InvalidRecipe: a class of the model's own cannot be imported here.
        """
        folder = Path(folder)
        description = json.loads((folder / DESCRIPTION).read_text())
        recipe = known_recipe(description["recipe"])
        made = (description["features_version"], description["recipe_version"])
        names_classes = "encoder" in description
        unknown = description["recipe_version"] if names_classes else None
        here = (FEATURES_VERSION, recipe.version if recipe else unknown)
        if made != here:
            raise InvalidTraining(
                f"the model in {folder} was made with features and recipe {description['recipe']} "
                f"of versions {made}, this code has {here}: load it in an environment of its own "
                "(mlflow models serve --env-manager virtualenv) or train it again"
            )
        encoder: Encoder
        regressor: Regressor
        if recipe is not None and not names_classes:
            encoder, regressor = recipe.encoder(seed=0), recipe.regressor()
            if isinstance(encoder, TripEncoder):
                encoder.missing = None  # trees of that time were fitted with NaN
        else:
            encoder = build_component("encoder", description["encoder"])
            regressor = build_component("regressor", description["regressor"])
        return cls(
            recipe=description["recipe"],
            recipe_version=description["recipe_version"],
            taxi=description["taxi"],
            max_miles=float(description["max_miles"]),
            encoder=encoder.load(folder),
            regressor=regressor.load(folder, threads),
        )
