"""Which code made an output: the git commit, and the versions of the packages used."""

from __future__ import annotations

import functools
import importlib.metadata
import platform
import subprocess
from pathlib import Path

PACKAGES = (
    "taxi_pipeline",
    "luigi",
    "pyarrow",
    "numpy",
    "pandas",
    "scikit-learn",
    "xgboost",
    "hyperopt",
    "mlflow",
)


@functools.cache
def code() -> dict[str, str | bool | None]:
    """The commit of the checkout that the package runs from, and whether files differ from it.

    The commit is None where the package is installed rather than checked out.
    """
    commit = _git("rev-parse", "HEAD")
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", ".")
    return {"commit": commit, "changed": bool(changed)}


@functools.cache
def packages() -> dict[str, str]:
    """The versions of Python and of the packages that take part in making outputs."""
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def version(package: str) -> str:
    """The version of an installed package, which is XGBoost also in its build for CPUs alone.

    Raises:
        importlib.metadata.PackageNotFoundError: It is not installed.
    """
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        if package == "xgboost":
            return importlib.metadata.version("xgboost-cpu")
        raise


def _git(*arguments: str) -> str | None:
    package = Path(__file__).parent
    if not (package.parent / ".git").exists():
        return None
    try:
        answer = subprocess.run(  # noqa: S603  (fixed arguments)
            ["git", "-C", str(package), *arguments],  # noqa: S607  (the user's git)
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip()
