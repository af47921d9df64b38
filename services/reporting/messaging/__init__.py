"""Reporting's two doors to the bus: what it publishes, and how it reads what others publish."""
