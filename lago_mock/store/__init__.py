"""The store: rows of all organizations in memory, kept in a TinyDB file."""
