"""What a resumable upload is for, as its client says it in one header; pure text in, checked words out.

Upload-Metadata is a list of words with values in Base64: ``engagement_id``, ``part_id``, ``label`` and ``title`` must
be there (``filename`` stands in for ``title``), ``sensitivity`` and ``filetype`` may. Any other word is refused: a slip
in one would change what the file is taken for.

Source: tus resumable upload protocol 1.0, extension Creation.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Final

from service import names
from service.errors import BadInputError
from service.scoping.actions import Label, Sensitivity

PURPOSE_CHARACTERS: Final = 8000  # a title of 255 letters of 12 bytes, in Base64, with room
TYPE_CHARACTERS: Final = 200
_NEEDED: Final = ("engagement_id", "part_id", "label", "title")
_MAY: Final = ("sensitivity", "filetype")
_UNKNOWN_TYPE: Final = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Purpose:
    """Where a file goes and what it is."""

    engagement_id: str
    part_id: str
    label: str
    sensitivity: str | None
    title: str
    media_type: str  # as declared; what it is, is looked at


def read_purpose(header: str) -> Purpose:
    """Read the header.

    Raises:
        BadInputError: it is not of this form, lacks something or says too much.
        BadTitleError: the title cannot be kept.
    """
    said = _pairs(header)
    if "title" not in said and "filename" in said:
        said["title"] = said.pop("filename")
    if not set(_NEEDED) <= set(said) <= {*_NEEDED, *_MAY}:
        raise _bad(f"name {', '.join(_NEEDED)}, if you like {', '.join(_MAY)}, and nothing else.")
    if said["label"] not in set(Label) or said.get("sensitivity", Sensitivity.ROUTINE) not in set(Sensitivity):
        raise _bad("label and sensitivity must be words of the vocabulary.")
    media_type = said.get("filetype", "").partition(";")[0].strip().lower() or _UNKNOWN_TYPE
    if len(media_type) > TYPE_CHARACTERS or not (media_type.isascii() and media_type.isprintable()):
        raise _bad("filetype is no media type.")
    return Purpose(
        engagement_id=said["engagement_id"],
        part_id=said["part_id"],
        label=said["label"],
        sensitivity=said.get("sensitivity"),
        title=names.title(said["title"]),
        media_type=media_type,
    )


def _pairs(header: str) -> dict[str, str]:
    if len(header) > PURPOSE_CHARACTERS:
        raise _bad(f"send at most {PURPOSE_CHARACTERS} characters.")
    said: dict[str, str] = {}
    for pair in header.split(","):
        name, _, value = pair.strip().partition(" ")
        if name in said:
            raise _bad("a word is named twice.")
        try:
            said[name] = base64.b64decode(value.strip(), validate=True).decode()
        except (binascii.Error, ValueError):
            raise _bad("values are UTF-8 in Base64.") from None
    return said


def _bad(what: str) -> BadInputError:
    return BadInputError(f"Upload-Metadata: {what}", extra={"field": "Upload-Metadata"})
