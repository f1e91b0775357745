import numpy as np
import pyarrow.compute as pc
import pytest
from synthetic_months import array

OF_THE_METER = [
    *("passenger_count", "RatecodeID", "payment_type", "trip_type"),
    *("store_and_fwd_flag", "congestion_surcharge"),
]


def test_a_negative_fare_takes_back_the_row_before(month_of):
    table = month_of("green", "2021-01").drop_columns(["ehail_fee", "payment_type"])
    reversals = np.flatnonzero(array(table, "fare_amount") < 0)
    assert 50 < len(reversals) < 500
    taken_back, originals = table.take(reversals), table.take(reversals - 1)
    for name in table.column_names:
        sign = -1 if name.endswith(("amount", "surcharge", "extra", "tax")) else 1
        expected = originals[name]
        if sign < 0:
            expected = pc.negate(expected)
        assert taken_back[name].to_pylist() == expected.to_pylist(), name


@pytest.mark.parametrize(
    ("month", "share"), [("2021-01", 0.47), ("2023-01", 0.06), ("2024-05", 0.06)]
)
def test_what_only_a_meter_records_is_null_together(month_of, month, share):
    table = month_of("green", month)
    null = pc.is_null(table["passenger_count"])
    for name in OF_THE_METER:
        assert pc.is_null(table[name]).equals(null), name
    assert np.isclose(np.mean(null.to_numpy()), share, atol=0.001)
    second = pc.second(table.filter(null)["lpep_pickup_datetime"]).to_numpy()
    assert np.mean(second == 0) > 0.9
    assert table["ehail_fee"].null_count == len(table)
    for name in {*table.column_names} - {*OF_THE_METER, "ehail_fee"}:
        assert table[name].null_count == 0, name


@pytest.mark.parametrize("month", ["2021-01", "2023-03"])
def test_a_yellow_record_without_a_meter_says_payment_0(month_of, month):
    table = month_of("yellow", month, 20_000)
    null = pc.is_null(table["passenger_count"])
    names = ["RatecodeID", "store_and_fwd_flag", "congestion_surcharge", table.column_names[-1]]
    for name in names:
        assert pc.is_null(table[name]).equals(null), name
    assert pc.equal(table["payment_type"], 0).equals(null)
    assert np.isclose(np.mean(null.to_numpy()), 0.05, atol=0.001)


@pytest.mark.parametrize(("taxi", "month"), [("green", "2021-01"), ("yellow", "2025-01")])
def test_a_total_is_the_sum_of_its_amounts(taxi, month, month_of):
    table = month_of(taxi, month, 20_000)
    total = array(table, "total_amount")
    amounts = ("amount", "extra", "tax", "surcharge", "Airport_fee", "cbd_congestion_fee")
    names = [n for n in table.column_names if n.endswith(amounts) and n != "total_amount"]
    paid = sum(np.nan_to_num(array(table, name)) for name in names)
    assert np.allclose(total, paid, atol=0.011)
