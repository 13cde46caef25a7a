"""Tests of service/blobs."""
