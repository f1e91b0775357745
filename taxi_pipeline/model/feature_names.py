"""The names of the features, for those who must not import what computes them."""

TARGET = "minutes"

FEATURES: dict[str, str] = {
    "pickup_zone": "TLC taxi zone of the pickup",
    "dropoff_zone": "TLC taxi zone of the drop-off",
    "hour": "hour of the pickup, 0 to 23",
    "weekday": "weekday of the pickup, 0 is Monday",
    "effective_weekday": "weekday of the pickup, a federal holiday as a Sunday",
    "minute_of_day": "minutes from midnight to the pickup",
    "whole_minute": "whether the pickup time has seconds 00, as some providers' records always do",
    "metered_miles": "distance by the taximeter, as published",
    "miles": "distance by the taximeter, null where it is zero, less or absurd",
    "vendor": "provider of the record",
    "rate_code": "final rate code",
    "passengers": "passengers, as entered by the driver",
    "trip_type": "green: 1 street hail, 2 dispatch",
    "partial": "whether the record is of the other origin, without rate code and passengers",
}
"""The features and their meaning."""

ENCODINGS: dict[str, str] = {
    "minutes_near": "mean duration of earlier trips between the zones near pickup and drop-off",
    "miles_near": "mean distance of earlier trips between the zones near pickup and drop-off",
    "pace_near": "mean minutes per mile of earlier trips between these zones",
    "minutes_by_pair": "mean duration of earlier trips between just these two zones",
    "log_pair_trips": "how many earlier trips there were between these two zones (logarithm)",
    "road_miles": "distance between the two zones by road, learned from earlier trips",
    "expected_minutes": "the trip's distance (or the usual one) times the usual minutes per mile",
    "detour": "the trip's distance beside the usual distance between these zones",
    **{
        f"{end}_x{axis}": f"where the zone of {word} lies: learned coordinate {axis}"
        for end, word in (("pickup", "pickup"), ("dropoff", "drop-off"))
        for axis in range(1, 5)
    },
}
"""What :class:`taxi_pipeline.model.encoders.TripEncoder` makes of them, and its meaning."""
