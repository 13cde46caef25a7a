"""Fakes: they implement the real protocols, pass the same contract tests, and fail on request."""
