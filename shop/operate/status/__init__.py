"""`shop status`: one look at everything that could need a hand."""
