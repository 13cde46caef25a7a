"""Tests of service/render."""
