"""A policy is read whole and exactly, or refused with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import PolicyError
from service.scoping.actions import Action, Fact, Label, Role, Sensitivity
from service.scoping.matrix import Matrix
from service.scoping.rules import MAX_FILE_BYTES, read_rows, read_rules
from tests.scoping.policies import FILES, POLICIES, policy_folder

HEADER = "role,action,label,sensitivity,facts,effect"
GOOD = "paralegal,document:view,exhibit,routine,live duties assigned window,allow"


def _added(line: str) -> str:
    return (POLICIES / "policy.csv").read_text() + line + "\n"


REFUSED_RULES = {
    "eft in capitals": "paralegal,document:view,exhibit,routine,live duties assigned window,DENY",
    "eft with a capital": "paralegal,document:view,exhibit,routine,live duties assigned window,Allow",
    "eft with a space": "paralegal,document:view,exhibit,routine,live duties assigned window, allow",
    "eft with a space behind": "paralegal,document:view,exhibit,routine,live duties assigned window,allow ",
    "eft unknown": "paralegal,document:view,exhibit,routine,live duties assigned window,permit",
    "an empty effect": "paralegal,document:view,exhibit,routine,live duties assigned window,",
    "an empty role": ",document:view,exhibit,routine,live duties assigned window,allow",
    "an empty action": "paralegal,,exhibit,routine,live duties assigned window,allow",
    "an empty label": "paralegal,document:view,,routine,live duties assigned window,allow",
    "an empty sensitivity": "paralegal,document:view,exhibit,,live duties assigned window,allow",
    "empty facts": "paralegal,document:view,exhibit,routine,,allow",
    "an unknown role": "admin,document:view,exhibit,routine,live duties assigned window,allow",
    "a person instead of a role": "per_0123,document:view,exhibit,routine,live duties assigned window,allow",
    "an unknown action": "paralegal,document:burn,exhibit,routine,live duties assigned window,allow",
    "a pattern of actions": "paralegal,document:*,exhibit,routine,live duties assigned window,allow",
    "a regular expression": "paralegal,document:.*,exhibit,routine,live duties assigned window,allow",
    "an expression": "False) or (True,document:view,exhibit,routine,live duties assigned window,allow",
    "an unknown label": "paralegal,document:view,exhibits,routine,live duties assigned window,allow",
    "an unknown sensitivity": "paralegal,document:view,exhibit,secret,live duties assigned window,allow",
    "two sensitivities": "paralegal,document:view,exhibit,routine privileged,live duties assigned window,allow",
    "an unknown fact": "paralegal,document:view,exhibit,routine,live duties assigned window alive,allow",
    "a fact in capitals": "paralegal,document:view,exhibit,routine,LIVE duties assigned window,allow",
    "a fact twice": "paralegal,document:view,exhibit,routine,live live duties assigned window,allow",
    "a role twice": "paralegal paralegal,document:view,exhibit,routine,live duties assigned window,allow",
    "two spaces": "paralegal  receptionist,document:view,exhibit,routine,live duties assigned window,allow",
    "any action allowed": "paralegal,*,exhibit,routine,live duties assigned window,allow",
    "a shutting fact in an allow": "paralegal,document:view,exhibit,routine,live duties assigned window walled,allow",
    "an opening fact in a deny": "*,*,*,*,walled live,deny",
    "an emergency of a coordinator": "coordinator,document:view,exhibit,routine,break_glass,allow",
    "a deny without facts": "*,*,*,*,-,deny",
    "a deny of one label": "*,*,exhibit,*,walled,deny",
    "a deny below a ceiling": "*,*,*,privileged,walled,deny",
    "five columns": "paralegal,document:view,exhibit,routine,allow",
    "seven columns": "paralegal,document:view,exhibit,routine,live duties assigned window,allow,allow",
    "a quote that does not end": '"paralegal,document:view,exhibit,routine,live duties assigned window,allow',
    "a tab": "paralegal,document:view,exhibit,routine,live\tduties assigned window,allow",
    "a carriage return": "paralegal,document:view,exhibit,routine,live duties assigned window,allow\r",
    "a hidden direction mark": "paralegal,document:view,exhibit\u202e,routine,live duties assigned window,allow",
    "a null": "paralegal,document:view,exhibit\x00,routine,live duties assigned window,allow",
    "attorney_only to a vendor": "paralegal,document:view,exhibit,attorney_only,live duties assigned window,allow",
    "no ceiling for a vendor": "paralegal,document:view,exhibit,*,live duties assigned window,allow",
    "no live": "paralegal,document:view,exhibit,routine,duties assigned window,allow",
    "no duties": "paralegal,document:view,exhibit,routine,live assigned window,allow",
    "no window": "paralegal,document:view,exhibit,routine,live duties assigned,allow",
    "neither assigned nor own nor asked": "paralegal,document:view,exhibit,routine,live duties window,allow",
    "an attorney who need not be named": "attorney,document:view,exhibit,routine,-,allow",
    "a confirmed paper replaced": "paralegal,document:revise,exhibit,routine,live duties assigned window,allow",
    "a confirmed paper replaced by the firm": "coordinator attorney,document:revise,exhibit,routine,assigned,allow",
    "what is hidden told to others": "paralegal,document:inspect,exhibit,routine,live duties assigned window,allow",
    "a document for the owner": "owner,document:view,exhibit,routine,assigned,allow",
    "a document for the reviewer": "reviewer,document:list,exhibit,routine,assigned,allow",
    "one for the manager": "vendor_manager,document:view,exhibit,routine,live duties assigned window,allow",
    "a document for everybody": "*,document:view,exhibit,routine,live duties assigned window,allow",
    "a grant by the owner": "owner,grant:create,exhibit,routine,assigned,allow",
    "a document without a label": "attorney,document:view,-,-,assigned,allow",
    "a document without a sensitivity": "attorney,document:view,exhibit,-,assigned,allow",
    "a label where there is no document": "attorney,matter:read,exhibit,-,assigned,allow",
    "a sensitivity where there is no document": "attorney,matter:read,-,routine,assigned,allow",
    "a title for somebody else": "attorney,title:read,*,*,disclosed window,allow",
    "a title for a vendor": "paralegal,title:read,*,routine,live duties disclosed window,allow",
    "a title that nobody disclosed": "reviewer,title:read,*,*,assigned window,allow",
    "a title at any time": "reviewer,title:read,*,*,disclosed,allow",
    "contents for who is told titles": "reviewer,document:view,*,*,disclosed window,allow",
    "contents beside titles": "reviewer,title:read document:text,*,*,disclosed window,allow",
    "disclosed as a further way": "attorney,document:view,*,*,assigned disclosed,allow",
    "what is only known looked at": "paralegal,document:view,exhibit,routine,live duties known window,allow",
    "known above confidential": "paralegal,access_request:create,exhibit,privileged,live duties known window,allow",
    "known and never to be seen": "receptionist,withheld:list,exhibit,routine,live duties known window,allow",
    "withheld and not known": "paralegal,withheld:list,exhibit,routine,live duties assigned window,allow",
    "documents and other acts in one row": "attorney,document:view matter:read,*,*,assigned,allow",
    "a word beside the star": "paralegal *,document:view,exhibit,routine,live duties assigned window,allow",
}


@pytest.mark.parametrize("name", REFUSED_RULES)
def test_a_rule_that_is_not_exactly_right_refuses_the_whole_policy(tmp_path: Path, name: str) -> None:
    folder = policy_folder(tmp_path, policy=_added(REFUSED_RULES[name]))
    lines = (POLICIES / "policy.csv").read_text().count("\n")
    with pytest.raises(PolicyError, match=f"policy.csv, line {lines + 1}:"):
        Matrix.load(folder)


def test_the_rule_that_the_refused_ones_were_made_from_is_right(tmp_path: Path) -> None:
    assert len(Matrix.load(policy_folder(tmp_path, policy=_added(GOOD))).rules) > 1


@given(st.integers(0, 5), st.text(max_size=30))
def test_no_text_in_a_cell_makes_a_rule_that_the_vocabulary_does_not_hold(column: int, text: str) -> None:
    """`False) or (True` in a rule once let another subject in; here it is no word, so it is no rule."""
    cells = GOOD.split(",")
    cells[column] = text
    known = {
        *Role,
        *Action,
        *Label,
        *Sensitivity,
        *(str(fact.name).lower() for fact in Fact),
        "*",
        "-",
        "allow",
        "deny",
    }
    try:
        rules = read_rules(_added(",".join(cells)).encode())
    except PolicyError:
        return
    assert set(" ".join(rules[-1].cells).split(" ")) <= known


@pytest.mark.parametrize(
    "twin",
    [GOOD, GOOD.replace("live duties", "duties live"), GOOD.replace(",allow", ",deny").replace("exhibit", "exhibit")],
)
def test_the_same_rule_twice_is_refused(tmp_path: Path, twin: str) -> None:
    with pytest.raises(PolicyError):
        Matrix.load(policy_folder(tmp_path, policy=_added(GOOD + "\n" + twin)))


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_refused(tmp_path: Path, name: str) -> None:
    folder = policy_folder(tmp_path, **{name.partition(".")[0]: None})
    with pytest.raises(PolicyError, match=f"{name} cannot be read"):
        Matrix.load(folder)


@pytest.mark.parametrize("name", ["policy", "duties", "answers"])
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n\n",
        b"# nothing but a comment\n",
        b"\xff\xfe",
        b"role,action\n",
        b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
        b"#" * (MAX_FILE_BYTES + 1),
    ],
    ids=["empty", "blank", "comment", "not utf-8", "other columns", "garbage", "huge"],
)
def test_what_is_not_a_policy_file_is_refused(tmp_path: Path, name: str, data: bytes) -> None:
    with pytest.raises(PolicyError):
        Matrix.load(policy_folder(tmp_path, **{name: data}))


@pytest.mark.parametrize("name", ["policy", "duties", "answers"])
def test_a_header_without_rows_is_refused(tmp_path: Path, name: str) -> None:
    def only_header(text: str) -> str:
        return next(line for line in text.splitlines() if line and not line.startswith("#")) + "\n"

    with pytest.raises(PolicyError, match="holds no rows"):
        Matrix.load(policy_folder(tmp_path, **{name: only_header}))


@pytest.mark.parametrize("name", FILES)
def test_a_byte_order_mark_is_refused(tmp_path: Path, name: str) -> None:
    marked = b"\xef\xbb\xbf" + (POLICIES / name).read_bytes()
    with pytest.raises(PolicyError):
        Matrix.load(policy_folder(tmp_path, **{name.partition(".")[0]: marked}))


@pytest.mark.parametrize("change", ["walled", "narrowed", "suspended"])
def test_a_deny_that_does_not_reach_everybody_is_refused(tmp_path: Path, change: str) -> None:
    def without(text: str) -> str:
        lines = text.splitlines()
        lines.remove(next(line for line in lines if f",{change},deny" in line))
        return "\n".join(lines) + "\n"

    with pytest.raises(PolicyError, match=f"no deny for {change}"):
        Matrix.load(policy_folder(tmp_path, policy=without))


def test_a_vendor_document_rule_without_an_nda_in_duties_is_refused(tmp_path: Path) -> None:
    def no_nda_for_exhibits(text: str) -> str:
        return text.replace(",*,nda", ",billing,nda")

    with pytest.raises(PolicyError, match=r"duties.csv: no row asks an NDA of"):
        Matrix.load(policy_folder(tmp_path, duties=no_nda_for_exhibits))


@pytest.mark.parametrize(
    "line", ["paralegal,document:view,*,-", "paralegal,document:view,*,oath", "x,document:view,*,nda"]
)
def test_a_duty_row_that_is_not_exactly_right_is_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(PolicyError, match=r"duties.csv, line"):
        Matrix.load(policy_folder(tmp_path, duties=lambda text: text + line + "\n"))


def test_rules_are_numbered_by_row_without_comments() -> None:
    rows = ["*,*,*,*,walled,deny", "*,*,*,*,narrowed,deny", "*,*,*,*,suspended,deny", GOOD]
    text = "\n".join(["# first", "", HEADER, "# second", *rows])
    rules = read_rules(text.encode())
    assert [rule.id for rule in rules] == [f"policy.csv:{n}" for n in (1, 2, 3, 4)]
    assert rules[3].where == "policy.csv, line 8"


def test_a_row_is_what_stands_between_line_feeds() -> None:
    rows = read_rows("some.csv", b'a,b\n"x,y",z', ("a", "b"))
    assert [row.cells for row in rows] == [("x,y", "z")]
