"""What assessment does for whoever asks, over HTTP or Kafka: load, let the domain decide, keep, announce."""
