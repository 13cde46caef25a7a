"""What the API's OpenAPI document says of every operation: the token it needs, and what a refusal looks like.

Rules kept here:

* it describes and changes nothing: who may call is decided in the ledger, not by a framework's dependency;
* every operation answers a refusal or a fault as the one problem document of `service.httpdeps.problem`; what the
  framework would say of validation errors is not how they are answered, and is taken out.

Source: OpenAPI 3.1; RFC 9457 (problem details); RFC 6750 (bearer tokens); docs/errors.md.
"""

from __future__ import annotations

from typing import Any, Final

from service.errors import NotFoundError
from service.httpdeps import PROBLEM

API: Final = "/api/v1"
BEARER: Final = "bearer"
SIGNIN: Final = "signin"
_OF_THE_FRAMEWORK: Final = ("HTTPValidationError", "ValidationError")


def complete(document: dict[str, Any]) -> dict[str, Any]:
    """Return an OpenAPI document with the token and the refusals added to every operation."""
    for path, item in document["paths"].items():
        for operation in item.values():
            operation["responses"].pop("422", None)
            operation["responses"] |= {f"{first}XX": {"$ref": f"#/components/responses/{first}XX"} for first in (4, 5)}
            operation.setdefault("security", [{BEARER: []}] if path.startswith(API) else [])
    components = document["components"]
    for name in _OF_THE_FRAMEWORK:
        components["schemas"].pop(name, None)
    components["schemas"]["Problem"] = _problem()
    components["responses"] = {"4XX": _answer("Refused"), "5XX": _answer("Not possible just now, or a fault of ours")}
    components["securitySchemes"] = {
        BEARER: {"type": "http", "scheme": "bearer", "description": "A token as it was shown when it was made."},
        SIGNIN: {"type": "http", "scheme": "bearer", "description": "A sign-in as it was shown when it was made."},
    }
    return document


def _answer(what: str) -> dict[str, Any]:
    return {
        "description": f"{what}; `code` says why. Codes: docs/errors.md.",
        "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


def _problem() -> dict[str, Any]:
    texts = ("type", "title", "detail", "instance", "code")
    field = {"type": "object", "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}}}
    return {
        "type": "object",
        "description": "Why not, and what to do. Further members name what was sent, never what it was asked about.",
        "required": [*texts, "status"],
        "properties": {
            **{name: {"type": "string"} for name in texts},
            "status": {"type": "integer"},
            "errors": {"type": "array", "items": field, "description": "Fields of the request that cannot be read."},
        },
        "examples": [
            {
                "type": f"urn:muniment:error:{NotFoundError.code}",
                "title": NotFoundError.title,
                "status": NotFoundError.status,
                "detail": NotFoundError.detail,
                "instance": "urn:muniment:request:req_" + "0" * 32,
                "code": NotFoundError.code,
            }
        ],
    }
