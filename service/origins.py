"""What a grant was made with: by hand, with a task, with many others in one act, by a standing or a standby share."""

from __future__ import annotations

from typing import Final, NamedTuple


class Origin(NamedTuple):
    """What a grant was made with; nothing: by hand.

    Args:
        giver: the membership whose word it is, where that is not who acts.
    """

    task_id: str | None = None
    bulk_id: str | None = None
    standing_id: str | None = None
    standby_id: str | None = None
    giver: str | None = None

    def ids(self) -> dict[str, str | None]:
        """The ids of it, as entries name them; None for what it was not made with.

        An entry leaves these out though its act is about one of them: a standing share hands out a paper while a task
        is accepted, and the log must not say that the grant was made with the task.
        """
        return {"task": self.task_id, "bulk": self.bulk_id, "standing": self.standing_id, "standby": self.standby_id}


BY_HAND: Final = Origin()
