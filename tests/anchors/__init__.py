"""Tests of service/anchors."""
