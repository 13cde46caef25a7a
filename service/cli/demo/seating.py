"""Working for two firms with one sign-in: its seats are listed, one is chosen, and nothing crosses."""

from __future__ import annotations

from service.cli.demo.people import FIRM, OTHER_FIRM, OTHER_JOB, OTHER_PEOPLE, VENDOR, ZONE
from service.cli.demo.proof import refused, same, true
from service.cli.demo.stage import API, Stage, hence, person_of
from service.errors import NotFoundError, UnauthenticatedError
from service.scoping.actions import Role


def choose_seat(stage: Stage) -> str:
    """Let a second firm engage the paralegal too; give her one sign-in for both, and let her choose."""
    before = stage.log_size()
    stage.keep_token("sofia@other", _engaged_elsewhere(stage))
    made = stage.make("sofia", "/signin", days=7)
    added = stage.make("sofia@other", "/seats", signin=made["signin"])["id"]
    stage.keep_token("sofia@signin", made["signin"])
    seats = {seat["id"]: seat for seat in stage.read("sofia@signin", "/seats")["seats"]}
    places = {(seat["place"]["firm_name"], seat["place"]["engagement_number"]) for seat in seats.values()}
    same(places, {(FIRM, stage.job.number), (OTHER_FIRM, OTHER_JOB.number)}, "the seats of her sign-in")
    mine = next(iter(stage.granted("sofia")))
    for seat, firm in ((made["seat_id"], FIRM), (added, OTHER_FIRM)):
        stage.keep_token("sofia@chosen", stage.make("sofia@signin", f"/seats/{seat}/token")["token"])
        same(stage.read("sofia@chosen", "/me")["firm"]["name"], firm, "the firm in which the chosen seat acts")
        if firm == FIRM:
            same(set(stage.listed("sofia@chosen")), stage.granted("sofia"), "what she sees in the chosen seat")
    with refused(NotFoundError, "a paper of one firm in the seat of the other"):
        stage.read("sofia@chosen", f"/documents/{mine}")
    log = [str(entry) for entry in stage.entries(before)]
    true(any(made["seat_id"] in entry for entry in log), "this firm's log to say that a token of its own was linked")
    theirs = (added, seats[added]["membership_id"], seats[added]["place"]["firm_id"], made["id"])
    true(not any(each in entry for each in theirs for entry in log), "nothing of the other firm or the sign-in in it")
    stage.as_("sofia@signin").ask("DELETE", f"{API}/signin")
    with refused(UnauthenticatedError, "a token of a sign-in that has ended"):
        stage.read("sofia@chosen", "/me")
    for key in ("sofia@signin", "sofia@other", "sofia@chosen"):
        stage.forget_token(key)
    return (
        f"One sign-in, two seats: the paralegal works for {FIRM} and for {OTHER_FIRM}, and chooses one at a time; in "
        "the one, papers of the other are 404, and the log here names nothing of the other firm."
    )


def _engaged_elsewhere(stage: Stage) -> str:
    """Found a second firm in this installation, which engages the paralegal too; returns her token there."""
    (email, name), (lead_email, lead_name) = OTHER_PEOPLE
    options = ["--firm", OTHER_FIRM, "--owner", email, "--owner-name", name, "--zone", ZONE, "--another"]
    stage.keep_token("owner@other", stage.machine.run("init", *options)["owner_token"])
    owner, sofia = "owner@other", person_of("sofia")
    vendor = stage.make(owner, "/vendors", name=VENDOR)["id"]
    lead = stage.make(owner, "/people", email=lead_email, name=lead_name)["id"]
    stage.make(owner, "/members", person_id=lead, role=Role.ATTORNEY.value)
    person = stage.make(owner, "/people", email=sofia.email, name=sofia.name, vendor_id=vendor)["id"]
    engagement = stage.make(
        owner,
        "/engagements",
        vendor_id=vendor,
        number=OTHER_JOB.number,
        name=OTHER_JOB.name,
        starts_at=hence(),
        ends_at=hence(days=90),
        lead_id=lead,
    )["id"]
    seat = stage.make(owner, f"/engagements/{engagement}/members", person_id=person, role=sofia.role.value)["id"]
    stage.forget_token(owner)
    token: str = stage.machine.run("token", "create", "--membership", seat)["items"][0]["token"]
    return token
