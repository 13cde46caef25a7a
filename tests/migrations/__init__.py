"""Tests of each migration, with data, up and down."""
