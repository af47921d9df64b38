"""The NULL sink: a stub that speaks enough of MongoDB's protocol to acknowledge writes at once.

What is left is the client's own cost. A process of its own (`python -m tests.bench.null_sink PORT`) without a disk.
Rows of the collections in `memory.WRITE_ONLY` are only counted. Everything else (positions, leases, small state)
is kept in memory, without isolation: one reader, one writer.
"""
