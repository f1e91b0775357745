"""Storage roots that are made once, and copied for each test that needs them."""

import shutil

import pytest


@pytest.fixture(scope="session")
def copy_root(tmp_path_factory):
    """A function that puts a root in place: made there the first time, and copied from then on.

    A root may be copied: nothing in it depends on where it is.
    """
    kept = {}

    def put(name, root, make):
        if name in kept:
            shutil.copytree(kept[name], root, symlinks=True)
        else:
            make()
            kept[name] = tmp_path_factory.mktemp("roots") / "root"
            shutil.copytree(root, kept[name], symlinks=True)

    return put
