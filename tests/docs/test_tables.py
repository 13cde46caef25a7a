from __future__ import annotations

import pytest

from service.errors import all_errors
from tests.docs.tables import DOCS, PAGES, made


@pytest.mark.parametrize("page", PAGES)
def test_the_table_in_the_page_is_that_of_the_code(page: str) -> None:
    assert (DOCS / page).read_text() == made(page, PAGES[page]()), "run python -m tests.docs.tables"


def test_no_two_errors_share_a_code_but_differ_in_status() -> None:
    statuses: dict[str, set[int]] = {}
    for error in all_errors():
        statuses.setdefault(error.code, set()).add(error.status)
    assert all(len(found) == 1 for found in statuses.values())
