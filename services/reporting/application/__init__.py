"""What reporting does with what it hears and with what it is asked. Knows the domain and ports; no HTTP, no MongoDB."""
