"""Reporting over HTTP. Turns requests into commands and queries, and their results into JSON or CSV."""
