"""The tasks that a person may type."""

import luigi

import taxi_pipeline
from taxi_pipeline.observability.task_names import task_names


class OneOfMyOwn(luigi.Task):
    """A task of a module of a user's own."""


def test_the_packages_tasks_and_ones_own_are_typed_and_neither_bases_nor_sections():
    names = task_names()
    assert set(taxi_pipeline.__all__) - {"Month"} <= set(names)
    assert "OneOfMyOwn" in names
    assert not {"Stage", "MonthlyTask", "tuning", "core", "ExternalTask"} & set(names)
