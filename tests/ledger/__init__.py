"""Tests of the only committer."""
