"""What every service stands on: events, HTTP, storage, identity, telemetry, the local run.

Holds no decision of the domain; imports no service.
"""
