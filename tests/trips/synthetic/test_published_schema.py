import pyarrow as pa
import pytest

from taxi_pipeline.month import Month
from taxi_pipeline.trips.synthetic.published_schema import columns


def test_yellow_columns_change_with_february_2023():
    old, new = columns("yellow", Month(2023, 1)), columns("yellow", Month(2023, 2))
    assert old.names[:3] == ["VendorID", "tpep_pickup_datetime", "tpep_dropoff_datetime"]
    assert old.names[:-1] == new.names[:-1]
    assert (old.names[-1], new.names[-1]) == ("airport_fee", "Airport_fee")
    assert [old.field(n).type for n in ("VendorID", "RatecodeID", "payment_type")] == [
        *(pa.int64(), pa.float64(), pa.int64())
    ]
    assert [new.field(n).type for n in ("VendorID", "RatecodeID", "payment_type")] == [
        *(pa.int32(), pa.int64(), pa.int64())
    ]


@pytest.mark.parametrize("taxi", ["green", "yellow"])
def test_the_fee_of_the_business_district_is_the_last_column_from_2025(taxi):
    before, after = columns(taxi, Month(2024, 12)), columns(taxi, Month(2025, 1))
    assert after.names == [*before.names, "cbd_congestion_fee"]
    assert after.field("cbd_congestion_fee").type == pa.float64()
