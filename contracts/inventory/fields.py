"""Bounds that the services and their callers share."""

import datetime

#: Most different products in one question about stock, and so in one cart or order.
MAX_LINES = 100
#: No order may hold stock for longer, whatever it asks for.
MAX_HOLD = datetime.timedelta(days=61)
