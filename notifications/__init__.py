"""Tells people what happened: e-mail, SMS and the in-app feed."""
