"""Vectors of service/crypto/FORMAT.md, and the script that makes them."""
