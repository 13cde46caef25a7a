"""Members: who acts in which role, in one engagement or for the whole house, and from when to when.

Rules kept here:

* a membership is (person, engagement, role); at most one of each runs at a time, and one that ended never runs again;
* vendor roles are for people of the engagement's vendor, firm roles for people of the firm; the owner's role is for the
  whole house only, and a vendor's never is;
* no membership outlives its engagement;
* ending one ends its access that minute: its tokens are withdrawn and its tasks cancelled in the same transaction, its
  grants are dead because a new membership is another row; a lead who leaves hands over first;
* a firm is never without an owner who can act.

What a role may do is said in policies/policy.csv.
"""

from service.members.adding import NewMember, add
from service.members.changing import end, resume, suspend
from service.members.containing import resume_person, suspend_person
from service.members.reading import list_all, read
from service.members.rows import Member

__all__ = [
    "Member",
    "NewMember",
    "add",
    "end",
    "list_all",
    "read",
    "resume",
    "resume_person",
    "suspend",
    "suspend_person",
]
