"""The event backbone: envelope, feed, relay, reader. No service's words live here."""
