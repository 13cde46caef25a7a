"""Muniment's tests: they mirror the source (tests/crypto/test_streams.py for service/crypto/streams.py)."""
