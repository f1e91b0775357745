import fsspec
import pytest
from fsspec.callbacks import Callback
from fsspec.core import url_to_fs
from synthetic_months import content

from taxi_pipeline.trips.synthetic.filesystem import SyntheticFileSystem

URL = "synthetic://green_tripdata_2021-01.parquet"

fsspec.register_implementation("synthetic", SyntheticFileSystem, clobber=True)


def test_a_url_fetches_the_month_it_names(tmp_path):
    fs, path = url_to_fs(f"{URL}?rows=321&seed=3&last=2021-01")
    assert path == "green_tripdata_2021-01.parquet?rows=321&seed=3&last=2021-01"
    fs.get_file(path, str(tmp_path / "a.parquet"))
    assert (tmp_path / "a.parquet").read_bytes() == content(tmp_path / "b.parquet", rows=321)
    fsspec.filesystem("synthetic").get_file(f"{URL}?rows=321&seed=3", tmp_path / "c.parquet")
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "c.parquet").read_bytes()


def test_a_url_without_a_query_has_20000_rows_of_seed_0_and_the_callback_counts_them(tmp_path):
    callback = Callback()
    fsspec.filesystem("synthetic").get_file(URL, str(tmp_path / "a.parquet"), callback=callback)
    assert (callback.size, callback.value) == (20_000, 20_000)
    assert (tmp_path / "a.parquet").read_bytes() == content(
        tmp_path / "b.parquet", rows=20_000, seed=0
    )


def test_a_month_after_the_last_is_not_published(tmp_path):
    fs = fsspec.filesystem("synthetic")
    late = "synthetic://green_tripdata_2021-03.parquet?last=2021-02"
    assert fs.exists(f"{URL}?last=2021-01")
    assert not fs.exists(late)
    for ask in (fs.info, lambda url: fs.get_file(url, str(tmp_path / "a.parquet"))):
        with pytest.raises(FileNotFoundError, match="not published: the last month is 2021-02"):
            ask(late)
    assert not list(tmp_path.iterdir())


def test_the_info_of_a_month_is_that_of_a_file_of_unknown_size():
    fs, path = url_to_fs(f"{URL}?rows=9")
    assert fs.info(path) == {"name": path, "size": None, "type": "file"}
    assert fs.isfile(path)
    assert not fs.isdir(path)


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        (f"{URL}?columns=3", "rows, seed and last, not 'columns'"),
        (f"{URL}?rows=many", "rows must be an integer, not 'many'"),
        (f"{URL}?rows=1.5", "rows must be an integer, not '1.5'"),
        (f"{URL}?rows=", "rows must be an integer, not ''"),
        (f"{URL}?rows=0", "rows must be at least 1, not 0"),
        (f"{URL}?seed=-1", "seed must be at least 0, not -1"),
        (f"{URL}?last=2021", "a month is written YYYY-MM, not '2021'"),
        (f"{URL}?rows", "bad query field: 'rows'"),
        ("synthetic://green_tripdata_2021-13.parquet", "month must be from 1 to 12, not 13"),
        ("synthetic://red_tripdata_2021-01.parquet", "is named like .* not 'red_tripdata"),
        ("synthetic://green_tripdata_2021-1.parquet", "is named like"),
        ("synthetic://", "is named like .* not ''"),
    ],
)
def test_a_url_that_means_nothing_is_refused_in_one_line(url, complaint, tmp_path):
    fs, path = url_to_fs(url)
    for ask in (fs.info, fs.exists, lambda path: fs.get_file(path, str(tmp_path / "a.parquet"))):
        with pytest.raises(ValueError, match=complaint) as refused:
            ask(path)
        assert "\n" not in str(refused.value)
