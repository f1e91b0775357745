"""A synthetic city whose files of trip records are like those that TLC publishes."""
