"""HTTP in. No rules here."""
