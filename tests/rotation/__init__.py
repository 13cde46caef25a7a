"""Tests of keys over the years: rotation, mending, what a crash leaves."""
