"""The synthetic city as a file system, so that its months are fetched like any others."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from fsspec.callbacks import DEFAULT_CALLBACK, Callback
from fsspec.spec import AbstractFileSystem

from taxi_pipeline.month import Month
from taxi_pipeline.trips.synthetic.month import check_at_least, write_month

_EXAMPLE = "green_tripdata_2021-01.parquet"
_FILE = re.compile(r"(green|yellow)_tripdata_(\d{4}-\d{2})\.parquet")


class _Request(NamedTuple):
    """What a path of the synthetic filesystem asks for."""

    taxi: str
    month: Month
    rows: int
    seed: int

    @classmethod
    def parse(cls, path: str) -> _Request:
        """The request of ``{taxi}_tripdata_{YYYY-MM}.parquet?rows=...&seed=...&last=...``.

        Raises:
            ValueError: the path has another form, or a value means nothing.
            FileNotFoundError: the month is after the last one that is published.
        """
        name, _, query = path.partition("?")
        match = _FILE.fullmatch(name)
        if match is None:
            raise ValueError(f"a synthetic file is named like {_EXAMPLE}, not {name!r}")
        month = Month.parse(match[2])
        options = dict(parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query)))
        rows = _integer("rows", options.pop("rows", "20000"), 1)
        seed = _integer("seed", options.pop("seed", "0"), 0)
        last = Month.parse(options.pop("last", str(month)))
        if options:
            raise ValueError(f"a synthetic file has rows, seed and last, not {min(options)!r}")
        if month > last:
            raise FileNotFoundError(f"{name} is not published: the last month is {last}")
        return cls(match[1], month, rows, seed)


def _integer(name: str, text: str, least: int) -> int:
    if re.fullmatch(r"-?[0-9]{1,18}", text) is None:
        raise ValueError(f"{name} must be an integer, not {text!r}")
    check_at_least(name, int(text), least)
    return int(text)


class SyntheticFileSystem(AbstractFileSystem):  # type: ignore[misc] # fsspec carries no types
    """The files of a synthetic city, made when they are fetched.

    A path is ``synthetic://{taxi}_tripdata_{YYYY-MM}.parquet?rows=20000&seed=0&last=YYYY-MM``
    with an optional query: how many rows, which city, and the last month that is published
    (every month, if it is not given).

    Every method raises `ValueError`, in one line, for a path of another form.
    """

    protocol = "synthetic"

    def info(self, path: str, **_options: Any) -> dict[str, Any]:
        """The name of the file and its type; its size is None, being known only once it is made.

        Raises:
            FileNotFoundError: the month is after the last one that is published.
        """
        path = self._strip_protocol(path)
        _Request.parse(path)
        return {"name": path, "size": None, "type": "file"}

    def exists(self, path: str, **_options: Any) -> bool:
        """Whether the month is published."""
        try:
            self.info(path)
        except FileNotFoundError:
            return False
        return True

    def get_file(
        self, rpath: str, lpath: str, callback: Callback = DEFAULT_CALLBACK, **_options: Any
    ) -> None:
        """Make the file at a local path, by way of `write_month`.

        Args:
            rpath: which file.
            lpath: the local path; its folder exists.
            callback: is told of the progress; its unit is rows, not bytes.

        Raises:
            FileNotFoundError: the month is after the last one that is published.
        """
        asked = _Request.parse(self._strip_protocol(rpath))
        callback.set_size(asked.rows)
        write_month(
            Path(lpath),
            asked.taxi,
            asked.month,
            rows=asked.rows,
            seed=asked.seed,
            progress=lambda done, _total: callback.absolute_update(done),
        )
