r"""Names that people type: titles, client names, speaking names.

A name is kept as it was meant: paths, quotes, formulas and any script stand as text, for a name is never used as a
path, a header, a formula or a log line. Refused is what deceives a reader's eye or breaks a line: control characters,
hidden direction marks ("evil\u202Efdp.exe" reads as "evilexe.pdf") and lone surrogates.

Source: Unicode TR 36, section 2.6 (bidirectional text spoofing).
"""

from __future__ import annotations

import unicodedata
from typing import Final

from service.errors import BadInputError, BadTitleError

TITLE_CHARACTERS: Final = 255
NAME_CHARACTERS: Final = 200
TEXT_CHARACTERS: Final = 2_000
EMAIL_CHARACTERS: Final = 254  # RFC 5321, section 4.5.3.1.3

_HIDDEN: Final = frozenset("\u061c\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
_FORBIDDEN_CATEGORIES: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})


def title(text: str) -> str:
    """Normalise a document's title: NFC, no outer spaces, 1 to 255 characters.

    Raises:
        BadTitleError: see the module's rules.
    """
    cleaned = _clean(text)
    if cleaned is None or not 1 <= len(cleaned) <= TITLE_CHARACTERS:
        raise BadTitleError
    return cleaned


def name(text: str, field: str) -> str:
    """Normalise a name of a person, firm, vendor, client or engagement: 1 to 200 characters.

    Raises:
        BadInputError: names the field.
    """
    cleaned = _clean(text)
    if cleaned is None or not 1 <= len(cleaned) <= NAME_CHARACTERS:
        raise BadInputError(
            f"{field}: send 1 to {NAME_CHARACTERS} characters without control characters or hidden direction marks.",
            extra={"field": field},
        )
    return cleaned


def text(value: str, field: str) -> str:
    """Normalise a purpose, reason or instruction: 1 to 2,000 characters, lines allowed.

    Raises:
        BadInputError: names the field.
    """
    lines = [_clean(line) for line in value.splitlines()]
    cleaned = "\n".join(line or "" for line in lines).strip()
    if None in lines or not 1 <= len(cleaned) <= TEXT_CHARACTERS:
        raise BadInputError(
            f"{field}: send 1 to {TEXT_CHARACTERS} characters without control characters or hidden direction marks.",
            extra={"field": field},
        )
    return cleaned


def email(value: str) -> str:
    """Normalise an e-mail address for finding a person again: NFC, lower case, one ``@`` with something on both sides.

    Raises:
        BadInputError: it is not of that form.
    """
    cleaned = (_clean(value) or "").casefold()
    local, at, domain = cleaned.partition("@")
    if not (local and at and domain) or "@" in domain or " " in cleaned or len(cleaned) > EMAIL_CHARACTERS:
        raise BadInputError("email: send one address, like name@example.org.", extra={"field": "email"})
    return cleaned


def _clean(text: str) -> str | None:
    """Return the text in NFC without outer spaces; None where it holds what is refused."""
    if any(sign in _HIDDEN or unicodedata.category(sign) in _FORBIDDEN_CATEGORIES for sign in text):
        return None
    return unicodedata.normalize("NFC", text).strip()
