"""Comparing what the registry holds with what is under the root."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from taxi_pipeline import config
from taxi_pipeline.errors import TrackingError
from taxi_pipeline.model.recipes.registry import recipe_names
from taxi_pipeline.redaction import redact, redact_url
from taxi_pipeline.runtime.reachable import Tasks, is_of_this_registry
from taxi_pipeline.storage import Storage, prune
from taxi_pipeline.storage.prune import Contents, Made
from taxi_pipeline.storage.verify import Finding
from taxi_pipeline.tasks.base import identity_cache
from taxi_pipeline.tasks.base.recipe import model_name
from taxi_pipeline.tasks.receipt import ReceiptStage
from taxi_pipeline.tracking.artifacts import folders_without_names, versions_with_damage
from taxi_pipeline.tracking.lookup import CannotBeAsked, RegisteredModel, look_up
from taxi_pipeline.tracking.relocation import relocate, sqlite_file
from taxi_pipeline.trips import TAXIS

Lost = Mapping[tuple[str, str], str]
"""What is wrong with the files of versions, by the model's name and the version."""


def registry_findings(storage: Storage) -> list[Finding]:
    """What the configured registry and the outputs under a root say of each other, sorted.

    A registry that does not answer is a finding; of one that cannot be asked nothing is known.
    """
    contents = prune.read(storage)
    recipes = {folder.variant.rpartition("-w")[0] for folder in contents.task_dirs} - {""}
    if not recipes:
        return []
    uri = config.tracking().server_uri
    names = [model_name(taxi, name) for taxi in TAXIS for name in {*recipes, *recipe_names()}]
    try:
        lost: Lost = {}
        if file := sqlite_file(uri):
            relocate(file)
            lost = {(name, number): what for name, number, what in versions_with_damage(file)}
        answers = {name: look_up(uri, name) for name in names}
        models = {name: answer for name, answer in answers.items() if answer is not None}
        found = [*_receipts(storage, contents, models, lost), *_models(contents, models)]
        if file:
            found += [
                Finding("orphan", str(folder), "no run and no model of the registry names it")
                for folder in folders_without_names(file)
            ]
    except CannotBeAsked as error:
        return [Finding("elsewhere", redact_url(uri), str(error))]
    except TrackingError as error:
        return [Finding("unreadable", redact_url(uri), redact(str(error)))]
    return sorted(found)


def _receipts(
    storage: Storage, contents: Contents, models: Mapping[str, RegisteredModel], lost: Lost
) -> Iterator[Finding]:
    """Receipts that are not true, and versions whose files are missing or damaged.

    Without a receipt RegisterModel runs again. It then finds the version, and copies its files.
    """
    without_receipt = dict(lost)
    with identity_cache():
        tasks = Tasks(storage, contents)
        for made in contents.outputs:
            task = tasks.task(made)
            if isinstance(task, ReceiptStage) and is_of_this_registry(task, made):
                name, number = task.model_name, str((made.manifest or {}).get("version"))
                without_receipt.pop((name, number), None)
                if problem := _receipt_problem(made, name, number, models, lost):
                    yield Finding("damaged", made.location, problem, set_aside=True)
    for (name, number), what in without_receipt.items():
        problem = f"it is damaged: {what}; delete the version"
        yield Finding("damaged", f"models:/{name}/{number}", problem)


def _receipt_problem(
    made: Made, name: str, number: str, models: Mapping[str, RegisteredModel], lost: Lost
) -> str:
    """Why a receipt is not true; empty if it is."""
    version = models[name].versions.get(number) if name in models else None
    if version is None:
        return f"version {number} of {name} is not in the registry"
    if version.candidate_key not in made.inputs.values():
        return f"version {number} of {name} is of another candidate"
    if what := lost.get((name, number)):
        return f"version {number} of {name} is damaged: {what}"
    return ""


def _models(contents: Contents, models: Mapping[str, RegisteredModel]) -> Iterator[Finding]:
    """Versions whose candidates are elsewhere, and aliases of versions that were deleted."""
    for name, model in models.items():
        for number, version in model.versions.items():
            if version.candidate_key and version.candidate_key not in contents.by_key:
                problem = f"what it was made from ({version.candidate_key}) is not under this root"
                yield Finding("orphan", f"models:/{name}/{number}", problem)
        for alias, number in model.aliases.items():
            if number not in model.versions:
                problem = (
                    f"it points to version {number}, which was deleted: give the alias to another "
                    "version, or delete it"
                )
                yield Finding("damaged", f"models:/{name}@{alias}", problem)
