"""Choosing without group labels."""
