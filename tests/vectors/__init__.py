"""Test vectors, each folder with its origin and the script that makes it."""
