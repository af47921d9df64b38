"""MongoDB: the client and the unit of work. No domain words, no Kafka."""
