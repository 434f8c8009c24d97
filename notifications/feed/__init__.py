"""Notifications as rows, read by their owner."""
