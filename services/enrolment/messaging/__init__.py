"""Events in and out. No rules here."""
