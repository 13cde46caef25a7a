"""The use cases through the real HTTP application: one installation a run, one firm a test."""
