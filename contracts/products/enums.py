"""The words of products."""

from enum import StrEnum


class Sort(StrEnum):
    """The order of a list of products."""

    NAME = "name"
    PRICE = "price"
    HIGHEST_PRICE = "-price"
    NEWEST = "-created_at"
    #: Of a search; without one it is by newest.
    RELEVANCE = "relevance"
