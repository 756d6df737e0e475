"""Images and tables in, feature tables and stores out."""
