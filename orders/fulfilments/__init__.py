"""The parcels in which an order leaves."""
