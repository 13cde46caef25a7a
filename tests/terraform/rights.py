"""What AWS would answer: a small reader of IAM's language, for the operators that terraform/ uses and no others.

Decides one request within one account: an explicit "Deny" anywhere wins; else an "Allow" of the caller's own policies
or of the resource's is enough, except for a KMS key, whose own policy must allow, by name or by leaving it to the
account's IAM. An operator, variable or form that is not known here is an error rather than a guess.

It knows nothing of organisation policies, boundaries, sessions or grants: none is made here.

Source: AWS IAM user guide, "Policy evaluation logic for requests within a single account" and "IAM JSON policy
elements: Condition operators"; KMS developer guide, "Key policies".
"""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Statement = Mapping[str, Any]


class UnknownPolicyError(Exception):
    """The policy says something that this reader does not understand."""


@dataclass(frozen=True, slots=True)
class Request:
    """One call to AWS.

    Args:
        principal: ARN of the caller's role.
        action: for example ``s3:PutObject``.
        resource: ARN of what it is done to.
        context: condition keys and what the request says about each; keys with several values carry a tuple.
    """

    principal: str
    action: str
    resource: str
    context: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)


def is_allowed(request: Request, own: Sequence[Statement], resource: Sequence[Statement]) -> bool:
    """Say whether AWS lets the request through.

    Args:
        request: the call.
        own: statements of the caller's policies.
        resource: statements of the policy of the bucket or key.
    """
    account = f"arn:aws:iam::{request.principal.split(':')[4]}:root"
    own_says = {statement["Effect"] for statement in own if _matches(statement, request)}
    spoken = [statement for statement in resource if _matches(statement, request)]
    resource_says = {statement["Effect"] for statement in spoken if _names(statement, request.principal)}
    delegated = any(statement["Effect"] == "Allow" and _names(statement, account) for statement in spoken)
    if "Deny" in own_says | resource_says:
        return False
    if request.action.startswith("kms:"):
        return "Allow" in resource_says or (delegated and "Allow" in own_says)
    return "Allow" in own_says | resource_says


def _names(statement: Statement, principal: str) -> bool:
    """Whether a resource's statement is about this principal."""
    named = statement["Principal"]
    if named == "*":
        return True
    if set(named) != {"AWS"}:
        raise UnknownPolicyError(named)
    return principal in _list(named["AWS"])


def _matches(statement: Statement, request: Request) -> bool:
    unknown = set(statement) - {"Sid", "Effect", "Principal", "Action", "Resource", "Condition"}
    if unknown or statement["Effect"] not in {"Allow", "Deny"}:
        raise UnknownPolicyError(statement)
    return (
        any(_like(request.action.lower(), action.lower()) for action in _list(statement["Action"]))
        and any(_like(request.resource, resource) for resource in _list(statement["Resource"]))
        and all(
            _holds(operator, request.context.get(key), _list(wanted))
            for operator, tests in statement.get("Condition", {}).items()
            for key, wanted in tests.items()
        )
    )


def _holds(operator: str, said: str | tuple[str, ...] | None, wanted: Sequence[str]) -> bool:
    """Whether one test of a condition holds. A key that the request does not carry fails a plain test and passes a
    negated one: the difference that "Null" lines in policies are for.
    """
    if operator == "Null":
        return (said is None) == (list(wanted) == ["true"])
    if operator == "ForAllValues:StringEquals":
        return set(_list(said or ())) <= set(wanted)
    if isinstance(said, tuple):
        message = f"{operator} on a key of several values"
        raise UnknownPolicyError(message)
    if operator in {"StringNotEquals", "ArnNotEquals"}:
        return said is None or said not in wanted
    if operator == "NumericLessThan":
        return said is not None and any(float(said) < float(value) for value in wanted)
    if operator in {"Bool", "StringEquals"}:
        return said is not None and said in wanted
    if operator == "StringLike":
        return said is not None and any(_like(said, value) for value in wanted)
    raise UnknownPolicyError(operator)


def _like(text: str, pattern: str) -> bool:
    if "[" in pattern or "${" in pattern:
        raise UnknownPolicyError(pattern)
    return fnmatch.fnmatchcase(text, pattern)


def _list(value: str | Sequence[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)
