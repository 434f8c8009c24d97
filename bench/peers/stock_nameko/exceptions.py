"""What services refuse; raised as itself at the caller."""

from nameko.exceptions import deserialize_to_instance


@deserialize_to_instance
class NotFound(Exception):
    pass


@deserialize_to_instance
class UnknownProduct(Exception):
    pass


@deserialize_to_instance
class OutOfStock(Exception):
    pass
