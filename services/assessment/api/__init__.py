"""HTTP in: what people and their systems ask of assessment."""
