"""The board's database: how facts, roll-ups and publications are kept. No rule of counting lives here."""
