"""Tests of how an engagement ends."""
