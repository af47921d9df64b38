"""Documents and files as they are kept. No rules here."""
