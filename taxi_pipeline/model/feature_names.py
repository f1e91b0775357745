"""The names of the features, for those who must not import what computes them."""

TARGET = "minutes"

FEATURES: dict[str, str] = {
    "pickup_zone": "TLC taxi zone of the pickup",
    "dropoff_zone": "TLC taxi zone of the drop-off",
    "hour": "hour of the pickup, 0 to 23",
    "weekday": "weekday of the pickup, 0 is Monday",
    "effective_weekday": "the same, a federal holiday as a Sunday",
    "minute_of_day": "minutes from midnight to the pickup",
    "whole_minute": "whether the pickup time has seconds 00, as some providers' records always do",
    "metered_miles": "distance by the taximeter, as published",
    "miles": "the same, null where it is zero, less or absurd",
    "vendor": "provider of the record",
    "rate_code": "final rate code",
    "passengers": "passengers, as entered by the driver",
    "trip_type": "green: 1 street hail, 2 dispatch",
    "partial": "whether the record is of the other origin, without rate code and passengers",
}
"""The features and their meaning."""
