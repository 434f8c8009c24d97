"""From a cart or a list of items to an order with reserved stock."""
