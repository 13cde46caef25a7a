"""Scoping: the one place that decides who may do what with which thing.

Casbin decides; what reaches it is finite (role, action, label, sensitivity and a handful of facts). The rooms:

* `actions`  the words: actions, roles, labels, sensitivities, abilities, facts, duties;
* `matrix`   the policy files loaded once into an immutable snapshot (the only importer of casbin);
* `answers`  what a refused person is told;
* `facts`    the rows read in the deciding transaction, turned into facts;
* `decide`   one decision: one query, one look-up;
* `listing`  all that one may see: one query, equal to deciding each document;
* `explain`  who can see a document and why, or why not;
* `together` what one sees of what another may be told of, `held` the same of grants;
* `comparing` what another policy would change for whom.

Source: docs/adr/0007-answers.md, policies/README.md.
"""
