"""Tables of text, Parquet, Arrow and JSON lines as columns of strings."""
