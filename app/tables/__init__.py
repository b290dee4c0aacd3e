"""Columns and constraints by topic; no behaviour."""
