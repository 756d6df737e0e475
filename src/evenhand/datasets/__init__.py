"""Benchmark data sets, one file each."""
