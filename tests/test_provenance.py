import importlib.metadata
import platform
import shutil

import pytest
from processes import run

from taxi_pipeline import provenance

git = shutil.which("git")
needs_git = pytest.mark.skipif(git is None, reason="there is no git on this machine")


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """The folder that holds a package of one file, from which the code seems to run."""
    package = tmp_path / "checkout" / "taxi_pipeline"
    package.mkdir(parents=True)
    (package / "provenance.py").write_text("# as committed\n")
    monkeypatch.setattr(provenance, "__file__", str(package / "provenance.py"))
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    return package.parent


def run_git(folder, *arguments):
    who = ("-c", "user.name=Tester", "-c", "user.email=tester@example.org")
    answer = run([git, *who, *arguments], folder)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.strip()


def commit_all(folder):
    run_git(folder, "init", "--quiet")
    run_git(folder, "add", ".")
    run_git(folder, "-c", "commit.gpgsign=false", "commit", "--quiet", "-m", "first")


@pytest.fixture
def checkout(installed):
    """The same folder as a git checkout with one commit."""
    commit_all(installed)
    return installed


def code():
    return provenance.code.__wrapped__()


@needs_git
def test_the_commit_is_that_of_the_checkout(checkout):
    head = run_git(checkout, "rev-parse", "HEAD")
    assert code() == {"commit": head, "changed": False}
    assert len(head) == 40


@needs_git
def test_a_changed_file_is_told(checkout):
    (checkout / "taxi_pipeline" / "provenance.py").write_text("# changed\n")
    assert code()["changed"] is True


@needs_git
def test_a_file_that_git_does_not_know_is_no_change(checkout):
    (checkout / "taxi_pipeline" / "notes.txt").write_text("new\n")
    assert code()["changed"] is False


@needs_git
def test_a_change_outside_the_package_is_no_change_of_the_code(checkout):
    (checkout / "README.md").write_text("first\n")
    run_git(checkout, "add", "README.md")
    assert code()["changed"] is False


def test_an_installed_package_has_no_commit(installed):
    assert code() == {"commit": None, "changed": False}


@needs_git
def test_a_package_installed_within_another_projects_checkout_has_no_commit(installed, tmp_path):
    commit_all(tmp_path)
    assert code() == {"commit": None, "changed": False}


@needs_git
def test_a_checkout_on_a_machine_without_git_has_no_commit(checkout, monkeypatch):
    monkeypatch.setenv("PATH", str(checkout))
    assert code()["commit"] is None


@pytest.mark.parametrize("package", ["luigi", "pyarrow", "mlflow", "scikit-learn"])
def test_the_packages_that_make_outputs_are_named_with_their_versions(package):
    assert provenance.packages()[package] == importlib.metadata.version(package)


@pytest.mark.parametrize("build", ["xgboost", "xgboost-cpu"])
def test_xgboost_has_the_same_name_whichever_build_of_it_is_installed(monkeypatch, build):
    def installed(name):
        if name != build:
            raise importlib.metadata.PackageNotFoundError(name)
        return "3.2.0"

    monkeypatch.setattr(importlib.metadata, "version", installed)
    assert provenance.packages.__wrapped__()["xgboost"] == "3.2.0"
    with pytest.raises(importlib.metadata.PackageNotFoundError):
        provenance.version("no-such-package-at-all")


def test_the_version_of_python_is_named():
    assert provenance.packages()["python"] == platform.python_version()


def test_a_package_that_is_not_installed_is_left_out(monkeypatch):
    monkeypatch.setattr(provenance, "PACKAGES", ("luigi", "no-such-package-at-all"))
    assert list(provenance.packages.__wrapped__()) == ["python", "luigi"]
