"""How an employer's assessment data lie in its database. Documents never leave this room."""
