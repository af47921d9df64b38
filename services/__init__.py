"""The four services. They never import each other; they meet on Kafka and on two HTTPS doors."""
