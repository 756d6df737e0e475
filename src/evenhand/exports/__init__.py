"""Fitted projections as files that other software loads."""
