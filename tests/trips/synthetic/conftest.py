import pyarrow.parquet as pq
import pytest

from taxi_pipeline.month import Month
from taxi_pipeline.trips.synthetic.month import write_month


@pytest.fixture(scope="session")
def month_of(tmp_path_factory):
    """Months of the same city, each written once."""
    folder, made = tmp_path_factory.mktemp("city"), {}

    def month_of(taxi, month, rows=100_000):
        wanted = (taxi, month, rows)
        if wanted not in made:
            path = folder / f"{taxi}-{month}-{rows}.parquet"
            write_month(path, taxi, Month.parse(month), rows=rows, seed=7)
            made[wanted] = pq.read_table(path)
        return made[wanted]

    return month_of
