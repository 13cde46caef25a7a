"""Contexts: what a sealed thing is, in bytes, so that it opens nowhere else.

Each context is a list of fields joined with their lengths. Plain joining would let ``("tenantA", "eng1")`` pass for
``("tenantAe", "ng1")``: an attacker who may choose one id could then move a document across a boundary.

Source: service/crypto/FORMAT.md, section 1.
"""

from __future__ import annotations

from service.errors import BadInputError

_LENGTH_BYTES = 4


def join(*fields: str | bytes) -> bytes:
    """Join ``fields`` so that no other list of fields gives the same bytes.

    Args:
        fields: text (as UTF-8) or bytes, each shorter than 4 GiB; empty fields count too.

    Raises:
        BadInputError: a text is not valid Unicode (a lone surrogate).
    """
    parts: list[bytes] = []
    for field in fields:
        raw = encode_text(field) if isinstance(field, str) else field
        parts.append(len(raw).to_bytes(_LENGTH_BYTES, "big"))
        parts.append(raw)
    return b"".join(parts)


def encode_text(text: str) -> bytes:
    """Return ``text`` as UTF-8.

    Raises:
        BadInputError: the text holds a lone surrogate, which no UTF-8 can say.
    """
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise BadInputError("A text is not valid Unicode. Send it as UTF-8.") from None


def message_context(firm: str, engagement: str, matter: str, document: str, revision: str, kind: str) -> bytes:
    """Say which bytes of which revision a sealed message holds.

    Args:
        firm, engagement, matter, document, revision: their ids.
        kind: what of the revision this is, such as ``"original"``.
    """
    return join("muniment message v1", firm, engagement, matter, document, revision, kind)


def field_context(table: str, column: str, row: str) -> bytes:
    """Say which column of which row a sealed field stands in."""
    return join("muniment field v1", table, column, row)


def wrap_context(context: bytes) -> bytes:
    """Set wrapped keys apart from everything else that GCM-SIV seals here."""
    return join("muniment key v1", context)


def key_object_context(key_id: str, kind: str, parent: str | None) -> bytes:
    """Bind the key inside a key object to its id, kind and parent (None: the root key)."""
    return join("muniment key object v1", key_id, kind, parent or "")
