"""Muniment's service: a secure document exchange for law firms that give work to outside staff.

Floors, top may import below (DESIGN of the layout: docs/architecture.md): cli, app, api, httpdeps, wiring, the use
cases (one module a noun), render and anchors, scoping, events, ledger, crypto and blobs and db, config, errors.
"""
