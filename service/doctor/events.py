"""What events say of rows: each event of the log that makes or changes what a rule depends on, replayed.

Rules kept here:

* what an event made stands as it was said then; later events change of it only what such an act changes. An entry is
  written from rows, so a forged row that is suspended, moved or lifted afterwards must not become true by that;
* an event that changes what no event made is passed over: the row stays unknown to the log;
* an event type that is not listed here changes no row that a rule depends on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from service.brakes.marks import NOT_BRAKED
from service.db.models import FOREVER
from service.doctor import braking, duties, matters, moves, overlays, proofs, reviewing, shares, standbys
from service.doctor.scratch import Entry, Said, Scratch
from service.events import EventType
from service.scoping.actions import Ability, side_of

_TYPE: Final = b'"type":"'
_DONE: Final = "done"

Apply = Callable[[Scratch, Entry, Mapping[str, Any], Mapping[str, str]], None]


def follow(scratch: Scratch, bodies: Iterable[bytes]) -> Iterator[bytes]:
    """Note what each entry says, and pass it on."""
    for body in bodies:
        # Members stand in order and text escapes its quotation marks, so the last one is the entry's own type.
        start = body.rfind(_TYPE) + len(_TYPE)
        apply = _APPLY.get(body[start : body.find(b'"', start)])
        if apply is not None:
            entry = json.loads(body)
            apply(scratch, entry, entry.get("data", {}), entry.get("subjects", {}))
        yield body


def seat_id(matter_id: str, person_id: str) -> str:
    """A place on a matter's team has no id of its own."""
    return f"{matter_id}:{person_id}"


# Grants, asks and schedules -------------------------------------------------------------------------------------------


def _abilities(data: Mapping[str, Any]) -> int:
    return int(sum(Ability.__members__.get(word.upper(), 0) for word in data["abilities"]))


def _grant_created(scratch: Scratch, entry: Entry, data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    terms = {
        "engagement_id": subjects["engagement"],
        "membership_id": subjects["membership"],
        "document_id": subjects["document"],
        "abilities": _abilities(data),
        "not_before": data["not_before"],
        "not_after": data["not_after"],
        "revoked_at": FOREVER,
        "task_id": subjects.get("task"),
        "bulk_id": subjects.get("bulk"),
        "standing_id": subjects.get("standing"),
        "standby_id": subjects.get("standby"),
    }
    scratch.add("grant", Said(subjects["grant"], "", terms, entry["index"]))


def _grant_narrowed(scratch: Scratch, entry: Entry, data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    scratch.change("grant", subjects["grant"], entry["index"], abilities=_abilities(data))


def _grant_revoked(scratch: Scratch, entry: Entry, data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    scratch.change("grant", subjects["grant"], entry["index"], revoked_at=data["revoked_at"])


def _ask_created(scratch: Scratch, entry: Entry, data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    terms = {
        "engagement_id": subjects["engagement"],
        "membership_id": subjects["membership"],
        "part_id": subjects["part"],
        "label": data["label"],
        "not_before": data["not_before"],
        "not_after": data["not_after"],
        "ended_at": FOREVER,
        "task_id": subjects.get("task"),
    }
    scratch.add("ask", Said(subjects["ask"], "", terms, entry["index"]))


def _ask_ended(scratch: Scratch, entry: Entry, data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    scratch.change("ask", subjects["ask"], entry["index"], ended_at=data["ended_at"])


# Tasks --------------------------------------------------------------------------------------------------------------


def _task_created(scratch: Scratch, entry: Entry, data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    terms = {
        "engagement_id": subjects["engagement"],
        "membership_id": subjects["membership"],
        "part_id": subjects["part"],
        "preset": data["preset"],
        "labels": " ".join(data["labels"]),
        "state": "open",
        "due_at": data["due_at"],
        "not_after": data["not_after"],
        "ended_at": FOREVER,
    }
    scratch.add("task", Said(subjects["task"], "", terms, entry["index"]))


def _task_submitted(scratch: Scratch, entry: Entry, _data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    scratch.change("task", subjects["task"], entry["index"], state="submitted")


def _task_returned(scratch: Scratch, entry: Entry, data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    scratch.change("task", subjects["task"], entry["index"], state="returned", due_at=data["due_at"])


def _task_ended(state: str) -> Apply:
    def apply(scratch: Scratch, entry: Entry, data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
        scratch.change("task", subjects["task"], entry["index"], state=state, ended_at=data["ended_at"])

    return apply


def _schedule_created(scratch: Scratch, entry: Entry, data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    terms = {
        "engagement_id": subjects["engagement"],
        "membership_id": subjects.get("membership"),
        "terms": data["terms_sha256"],
        "valid_from": data["valid_from"],
        "valid_until": data["valid_until"],
        "ended_at": FOREVER,
    }
    scratch.add("schedule", Said(subjects["schedule"], "", terms, entry["index"]))


def _schedule_ended(scratch: Scratch, entry: Entry, data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    scratch.change("schedule", subjects["schedule"], entry["index"], ended_at=data["ended_at"])


# People and their places --------------------------------------------------------------------------------------------


def _person_added(scratch: Scratch, entry: Entry, data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    terms = {"side": data["side"], "vendor_id": subjects.get("vendor")}
    scratch.add("person", Said(subjects["person"], "", terms, entry["index"]))


def _member_added(scratch: Scratch, entry: Entry, data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    engagement_id = subjects.get("engagement")
    terms = {
        "person_id": subjects["person"],
        "engagement_id": engagement_id,
        "side": side_of(data["role"]).value,
        "role": data["role"],
        "starts_at": data["starts_at"],
        "ends_at": data["ends_at"],
        "suspended": 0,
        "matter_id": data.get("matter_id"),
        **NOT_BRAKED,
    }
    scratch.add("membership", Said(subjects["membership"], engagement_id or "", terms, entry["index"]))


def _member_ended(scratch: Scratch, entry: Entry, data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    scratch.change("membership", subjects["membership"], entry["index"], ends_at=data["ends_at"])


def _token_created(scratch: Scratch, entry: Entry, data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    terms = {
        "person_id": subjects["person"],
        "membership_id": subjects["membership"],
        "scopes": " ".join(data["scopes"]),
        "created_at": _seconds(entry),
        "expires_at": data["expires_at"],
        "revoked_at": FOREVER,
        "stepped_up_until": 0,
        "seat_id": subjects.get("seat"),
    }
    scratch.add("token", Said(subjects["token"], subjects["person"], terms, entry["index"]))


def _token_revoked(scratch: Scratch, entry: Entry, _data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    scratch.change("token", subjects["token"], entry["index"], revoked_at=_seconds(entry))


def _seat(scratch: Scratch, entry: Entry, data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    row_id = seat_id(subjects["matter"], subjects["person"])
    terms = {"since": data["since"], "until": data["until"]}
    if scratch.get("seat", row_id) is None:
        scratch.add("seat", Said(row_id, subjects["matter"], terms, entry["index"]))
    elif entry["type"] == EventType.MATTER_NAMED:
        scratch.change("seat", row_id, entry["index"], **terms)
    else:
        scratch.change("seat", row_id, entry["index"], until=data["until"])


# Documents ----------------------------------------------------------------------------------------------------------


def _document_added(scratch: Scratch, entry: Entry, data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    if entry["outcome"] != _DONE:
        return
    terms = {
        "engagement_id": subjects["engagement"],
        "part_id": subjects["part"],
        "matter_id": subjects["matter"],
        "label": data["label"],
        "sensitivity": data["sensitivity"],
        "state": data["state"],
        "revision_id": subjects["revision"],
    }
    scratch.add("document", Said(subjects["document"], subjects["engagement"], terms, entry["index"]))
    terms = {"document_id": subjects["document"]}
    scratch.add("revision", Said(subjects["revision"], "", terms, entry["index"]))


def _document_revised(scratch: Scratch, entry: Entry, _data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    if entry["outcome"] != _DONE:
        return
    terms = {"document_id": subjects["document"]}
    scratch.add("revision", Said(subjects["revision"], "", terms, entry["index"]))
    scratch.change("document", subjects["document"], entry["index"], revision_id=subjects["revision"])


def _document_confirmed(scratch: Scratch, entry: Entry, data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    terms = {"label": data["label"], "sensitivity": data["sensitivity"], "state": "confirmed"}
    scratch.change("document", subjects["document"], entry["index"], **terms)


def _document_taken_back(scratch: Scratch, entry: Entry, _data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    scratch.change("document", subjects["document"], entry["index"], state="taken_back")


def _keys_destroyed(scratch: Scratch, entry: Entry, _data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    for said in scratch.at("document", subjects["engagement"]):
        if said.terms["state"] not in ("taken_back", "moved"):
            scratch.change("document", said.id, entry["index"], state="destroyed")


# Engagements --------------------------------------------------------------------------------------------------------


def _engagement_created(scratch: Scratch, entry: Entry, data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    terms = {
        "vendor_id": subjects["vendor"],
        "status": "running",
        "starts_at": data["starts_at"],
        "ends_at": data["ends_at"],
        "lead_id": data["lead"],
        "deputy_id": data.get("deputy"),
        "withheld": data.get("withheld", "invisible"),
        "overlay": "",
        **braking.first_marks(data),
        "owed": duties.bits(data.get("owed", ())),
    }
    scratch.add("engagement", Said(subjects["engagement"], "", terms, entry["index"]))


def _part_added(scratch: Scratch, entry: Entry, _data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    terms = {"engagement_id": subjects["engagement"], "matter_id": subjects["matter"]}
    scratch.add("part", Said(subjects["part"], "", terms, entry["index"]))


def _engagement_changed(scratch: Scratch, entry: Entry, data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    """Take over what the act changed; what it only repeated from the row is not believed."""
    changed: dict[str, Any] = {}
    if "lead_before" not in data or data["lead"] != data["lead_before"]:
        changed["lead_id"] = data["lead"]
    if "lead_before" not in data or data.get("deputy") != data.get("deputy_before"):
        changed["deputy_id"] = data.get("deputy")
    if "withheld" in data and data["withheld"] != data["withheld_before"]:
        changed["withheld"] = data["withheld"]
    if "owed" in data and data["owed"] != data["owed_before"]:
        changed["owed"] = duties.bits(data["owed"])
    if data.get("ends_at_before", data["ends_at"]) != data["ends_at"]:
        changed["ends_at"] = data["ends_at"]
        _move_ends(scratch, entry, subjects["engagement"], data["ends_at_before"], data["ends_at"])
    scratch.change("engagement", subjects["engagement"], entry["index"], **changed)


def _on_call_created(scratch: Scratch, entry: Entry, data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    terms = {"engagement_id": subjects["engagement"], "person_id": subjects["person"], **data}
    scratch.add("on_call", Said(subjects["on_call"], "", terms, entry["index"]))


def _on_call_ended(scratch: Scratch, entry: Entry, data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    scratch.change("on_call", subjects["on_call"], entry["index"], ends_at=data["ends_at"])


def _move_ends(scratch: Scratch, entry: Entry, engagement_id: str, old_end: int, end: int) -> None:
    """Memberships that ended with the engagement move with it, and none outlives it."""
    for said in scratch.at("membership", engagement_id):
        ends_at = said.terms["ends_at"]
        if ends_at > _seconds(entry) and (ends_at == old_end or ends_at > end):
            scratch.change("membership", said.id, entry["index"], ends_at=end)


def _status(status: str) -> Apply:
    def apply(scratch: Scratch, entry: Entry, _data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
        scratch.change("engagement", subjects["engagement"], entry["index"], status=status)

    return apply


def _reconciled(scratch: Scratch, entry: Entry, data: Mapping[str, Any], subjects: Mapping[str, str]) -> None:
    _keys_destroyed(scratch, entry, data, subjects)
    scratch.change("engagement", subjects["engagement"], entry["index"], status="disposed")


def _seconds(entry: Entry) -> int:
    """UTC seconds, as rows count."""
    seconds: int = entry["time"] // 1000
    return seconds


_APPLY: Final[Mapping[bytes, Apply]] = MappingProxyType(
    {
        kind.value.encode(): apply
        for kind, apply in (
            (EventType.AGREEMENT_PUBLISHED, duties.published),
            (EventType.AGREEMENT_SIGNED, duties.signed),
            (EventType.ASK_CREATED, _ask_created),
            (EventType.ASK_ENDED, _ask_ended),
            *proofs.APPLY,
            (EventType.CERTIFICATE_ISSUED, _status("disposed")),
            (EventType.DISPOSAL_KEYS_DESTROYED, _keys_destroyed),
            (EventType.DISPOSAL_RECONCILED, _reconciled),
            (EventType.DISPOSAL_REQUESTED, _status("closing")),
            (EventType.DISPOSAL_WITHDRAWN, _status("running")),
            (EventType.DOCUMENT_ADDED, _document_added),
            (EventType.DOCUMENT_CONFIRMED, _document_confirmed),
            (EventType.DOCUMENT_CORRECTED, _document_confirmed),
            (EventType.DOCUMENT_REVISED, _document_revised),
            (EventType.DOCUMENT_TAKEN_BACK, _document_taken_back),
            *moves.APPLY,
            (EventType.DUTY_ENDED, duties.ended),
            (EventType.DUTY_RECORDED, duties.recorded),
            (EventType.DUTY_WAIVED, duties.waived),
            (EventType.EMERGENCY_DECLARED, matters.emergency_declared),
            (EventType.EMERGENCY_ENDED, matters.emergency_ended),
            (EventType.EMERGENCY_REVIEWED, matters.emergency_reviewed),
            (EventType.ENGAGEMENT_BRAKES_SET, braking.brakes_set),
            (EventType.ENGAGEMENT_CHANGED, _engagement_changed),
            (EventType.ENGAGEMENT_CREATED, _engagement_created),
            (EventType.GRANT_CREATED, _grant_created),
            (EventType.GRANT_NARROWED, _grant_narrowed),
            (EventType.GRANT_REVOKED, _grant_revoked),
            (EventType.HOLD_LIFTED, matters.hold_lifted),
            (EventType.HOLD_PLACED, matters.hold_placed),
            (EventType.MATTER_CHANGED, matters.matter_changed),
            (EventType.MATTER_CREATED, matters.matter_created),
            (EventType.MATTER_NAMED, _seat),
            (EventType.MATTER_UNNAMED, _seat),
            (EventType.MEMBER_ADDED, _member_added),
            (EventType.MEMBER_BRAKED, braking.member_braked),
            (EventType.MEMBER_ENDED, _member_ended),
            (EventType.MEMBER_RESUMED, braking.member_resumed),
            (EventType.MEMBER_SUSPENDED, braking.member_suspended),
            *reviewing.APPLY,
            (EventType.ON_CALL_CREATED, _on_call_created),
            (EventType.ON_CALL_ENDED, _on_call_ended),
            (EventType.OVERLAY_CHANGED, overlays.changed),
            (EventType.PART_ADDED, _part_added),
            (EventType.PERSON_ADDED, _person_added),
            (EventType.STANDBY_ENDED, standbys.ended),
            (EventType.STANDBY_OPENED, standbys.opened),
            (EventType.STANDBY_SEALED, standbys.sealed),
            (EventType.STANDING_SHARE_CREATED, shares.standing_created),
            (EventType.STANDING_SHARE_ENDED, shares.standing_ended),
            (EventType.TASK_ACCEPTED, _task_ended("accepted")),
            (EventType.TASK_CANCELLED, _task_ended("cancelled")),
            (EventType.TASK_CREATED, _task_created),
            (EventType.TASK_RETURNED, _task_returned),
            (EventType.TASK_SUBMITTED, _task_submitted),
            (EventType.SCHEDULE_CREATED, _schedule_created),
            (EventType.SCHEDULE_ENDED, _schedule_ended),
            (EventType.TOKEN_CREATED, _token_created),
            (EventType.TOKEN_REVOKED, _token_revoked),
            (EventType.WALL_LIFTED, matters.wall_lifted),
            (EventType.WALL_RAISED, matters.wall_raised),
        )
    }
)
