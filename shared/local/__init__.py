"""The platform on one machine: embedded backbone, supervisor, token issuer, the `partnership` command and the play.

For demonstration, development and tests. Nothing here runs in production, and no other room imports it.
"""
