"""The rules of counting and of disclosure control. Pure: no database, clock, framework or log."""
