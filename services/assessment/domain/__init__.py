"""The rules of practice assessment, pure: no I/O, no clock, no log, no framework."""
