"""The place that a parcel leaves from."""

#: The only one until there are more.
MAIN = "MAIN"
