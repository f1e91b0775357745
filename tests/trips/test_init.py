"""The room as a whole."""

import ast

import pytest

from taxi_pipeline.trips import download, failures, file_checks, publication, urls


@pytest.mark.parametrize("module", [urls, publication, download, failures, file_checks])
def test_importing_a_module_imports_nothing_slow(module):
    with open(module.__file__, "rb") as file:  # noqa: PTH123
        statements = ast.parse(file.read()).body
    imported = {node.module for node in statements if isinstance(node, ast.ImportFrom)}
    imported |= {
        name.name for node in statements if isinstance(node, ast.Import) for name in node.names
    }
    top = {name.partition(".")[0] for name in imported}
    assert not top & {"fsspec", "tenacity", "pyarrow", "tqdm", "aiohttp", "pandas", "luigi"}
