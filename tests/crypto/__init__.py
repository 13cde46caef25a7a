"""Tests of service/crypto."""
