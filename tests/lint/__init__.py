"""Tests of our own lint rules (lint/) and of the layers in pyproject.toml."""
