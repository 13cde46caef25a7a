"""Docs fail when they drift."""
