"""Recipes that are not of the package: registered ones, and those of installed distributions."""

import pytest

from taxi_pipeline.model.recipes import registry

MODULE = """
from taxi_pipeline.model.recipes.linear import Linear

class Theirs(Linear):
    summary = "the pickup zone alone"
    columns = ("pickup_zone",)
"""


def install(folder, name, *entries, source=MODULE):
    """Write what an installed distribution leaves: a module of its name, and its entry points."""
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.py").write_text(source)
    about = folder / f"{name}-1.5.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.5\n")
    lines = ["[taxi_pipeline.recipes]", *(entries or [f"theirs = {name}:Theirs"])]
    (about / "entry_points.txt").write_text("\n".join(lines) + "\n")


@pytest.fixture
def no_own_recipes(monkeypatch):
    """The registry as it is before anything is registered or looked for, for one test."""
    monkeypatch.setattr(registry, "_registered", {})
    monkeypatch.setattr(registry, "_checked", {})
    forget_installed()
    yield
    forget_installed()


@pytest.fixture
def install_recipes(no_own_recipes, tmp_path, monkeypatch):
    """Installs distributions with recipes, for one test."""
    monkeypatch.syspath_prepend(tmp_path / "site")

    def installed(name, *entries, **options):
        install(tmp_path / "site", name, *entries, **options)
        forget_installed()

    return installed


def forget_installed():
    registry._entry_points.cache_clear()
    registry._load.cache_clear()
