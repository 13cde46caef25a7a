"""Brakes: what one member of a vendor may open within an hour before he is slowed, and then suspended.

`marks` has the numbers, `pressing` counts and suspends inside the decision's transaction, `setting` lets the firm
change the marks of an engagement, `forgetting` deletes counts that mean nothing any more.

Source: docs/adr/0021-brakes-and-step-up.md.
"""
