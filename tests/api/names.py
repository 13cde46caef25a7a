"""Where a name or a content may get out: by kind of name, pairs of operations and the callers who see it in them.

The kinds are those of `tests.api.scene.CANARIES`. Nothing is in here because it was found: each pair is argued from
what a role does (policies/README.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_TEAM = "lead team seat"
_HOUSE = "owner lead team off_team walled_attorney"
_ATTORNEYS = "lead team seat off_team walled_attorney"
_VENDOR = "manager granted viewer ungranted unsigned revoked expired walled suspended elsewhere"
_REVIEWERS = "reviewer seat_reviewer other_reviewer"

Ways = tuple[tuple[str, str], ...]

BELONGS: Mapping[str, Ways] = MappingProxyType(
    {
        # Papers: attorneys of the matter's team, the coordinator up to his ceiling, and whoever was handed them.
        "title": (
            ("list_documents read_document", f"{_TEAM} coordinator granted viewer"),
            ("read_content describe_content", f"{_TEAM} coordinator granted"),  # Content-Disposition
            ("list_register", "reviewer"),  # to whom it was disclosed, and to no other reviewer
            ("move_document", "lead"),  # who alone is named at both ends
            ("confirm_document correct_document share_many", _TEAM),  # the dry run shows what would be shared
        ),
        "content": (("read_content read_text", f"{_TEAM} coordinator granted"),),
        "purpose": (
            ("list_grants read_grant", f"{_TEAM} coordinator"),
            ("read_document", "granted viewer"),  # of their own grants
            ("create_grant revoke_grant", _TEAM),
            ("list_standing_shares read_standing_share", f"{_TEAM} coordinator"),
            ("create_standing_share end_standing_share", _TEAM),
        ),
        "instructions": (
            ("read_me", "granted"),
            ("list_asks read_ask", f"{_TEAM} coordinator granted"),
            ("create_asks end_ask", _TEAM),
            # Tasks are told as asks are; the purpose of a task's grants is what was asked.
            ("list_tasks read_task", f"{_TEAM} coordinator granted"),
            ("submit_task", "granted"),
            ("create_task return_task accept_task cancel_task", _TEAM),
            ("list_grants", f"{_TEAM} coordinator"),
            ("read_document", "granted"),
        ),
        "note": (
            ("read_task", f"{_TEAM} coordinator granted"),
            ("return_task", _TEAM),
        ),
        "reason": (
            ("list_access_requests read_access_request", f"{_TEAM} granted"),
            ("read_me", "granted"),  # with the answers to his own
            ("create_access_request", "granted viewer"),
            ("answer_access_request", "lead"),
            ("withdraw_access_request", "granted"),
        ),
        "answer": (
            ("answer_access_request", "lead"),
            ("list_access_requests", f"{_TEAM} granted"),
            ("read_me", "granted"),
        ),
        # Not meant for me: his own statement, and the attorneys of the matter; what they answer is told to him.
        "misdirection": (
            ("list_misdirections read_misdirection", f"{_TEAM} granted"),
            ("say_misdirected", "coordinator granted"),
            ("acknowledge_misdirection", _TEAM),
        ),
        "acknowledgment": (
            ("acknowledge_misdirection", _TEAM),
            ("list_misdirections", f"{_TEAM} granted"),
        ),
        # Why a title is opened to a reviewer: among the attorneys of the matter.
        "disclosure": (("create_disclosures list_disclosures read_disclosure end_disclosure", _TEAM),),
        # Clients: never the owner, never anybody of a vendor.
        "client": (
            ("list_matters read_matter", f"{_TEAM} coordinator"),
            ("create_matter", "lead team off_team walled_attorney"),  # whoever opens one has just named it
            ("change_matter", _TEAM),
        ),
        "caption": (("list_parts", f"{_TEAM} coordinator"), ("add_part", "lead")),
        "engagement name": (
            ("list_engagements read_engagement", f"{_TEAM} coordinator"),
            ("change_engagement", "lead seat"),
            ("create_engagement", "lead team off_team walled_attorney"),
        ),
        "wall": (("list_walls read_wall raise_wall", f"owner {_TEAM}"), ("lift_wall", "owner")),
        "hold": (("list_holds read_hold", f"owner {_TEAM} coordinator"), ("place_hold lift_hold", f"owner {_TEAM}")),
        # A matter opened in an emergency: its team and the owner read why, and who opened it has just said so.
        "emergency": (
            ("list_emergencies read_emergency end_emergency review_emergency", f"owner {_TEAM}"),
            ("declare_emergency", _ATTORNEYS),
        ),
        "review": (("review_emergency", f"owner {_TEAM}"),),
        "waiver": (),  # kept for the log's payload alone
        # Sealed ahead for a member; his reason for opening is the purpose of the grants, and read by the team.
        "standby": (
            ("list_standbys read_standby", f"{_TEAM} granted"),
            ("seal_standby end_standby", _TEAM),
            ("open_standby close_standby", "granted"),
        ),
        "opening": (
            ("list_standbys read_standby", f"{_TEAM} granted"),
            ("open_standby close_standby", "granted"),
            ("list_grants", f"{_TEAM} coordinator"),
            ("read_document", "granted"),
        ),
        # What a duty rests on: who leads or sits records it, attorneys of the team read it.
        "evidence": (
            ("list_duties read_duty", _TEAM),
            ("record_duty waive_duty end_duty", "lead seat"),
        ),
        # People: a vendor's manager knows his own; everybody knows himself; reviewers know names.
        "firm person": (
            ("read_me", f"{_ATTORNEYS} coordinator {_REVIEWERS}"),
            ("list_people", f"owner {_ATTORNEYS} coordinator {_REVIEWERS}"),
            ("list_members read_member", f"owner {_TEAM} coordinator"),
            ("list_house_members add_house_member", "owner"),
            ("export_log", "reviewer"),
        ),
        "vendor person": (
            ("read_me", _VENDOR),
            ("list_people", f"owner {_ATTORNEYS} coordinator {_REVIEWERS}"),
            ("read_person", f"owner {_ATTORNEYS} coordinator reviewer seat_reviewer"),
            ("add_person", _HOUSE),
            ("list_members read_member", f"owner {_TEAM} coordinator manager"),
            ("add_member suspend_member resume_member end_member", "owner lead seat"),
            ("export_log", "reviewer"),
        ),
        "address": (
            ("read_me", f"{_ATTORNEYS} coordinator {_REVIEWERS} {_VENDOR}"),
            # Its address names the account, to whom it is for.
            ("enrol_authenticator", f"{_ATTORNEYS} coordinator {_REVIEWERS} {_VENDOR.replace(' suspended', '')}"),
            ("list_people read_person", f"owner {_ATTORNEYS} coordinator"),
            ("add_person", _HOUSE),
        ),
        "typed name": (("sign_agreement", "unsigned"), ("export_log", "reviewer")),
        "vendor": (
            ("list_vendors read_vendor", f"owner {_ATTORNEYS} coordinator"),
            ("add_vendor", _HOUSE),
        ),
    }
)
