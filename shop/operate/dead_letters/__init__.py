"""`shop dead-letters`: what no handler could make sense of, to look at, put back or drop."""
