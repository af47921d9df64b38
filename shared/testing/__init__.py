"""What tests of every room share: the real backbone and builders. Nothing here runs in production."""
