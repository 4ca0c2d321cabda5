from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from phial.assist.context import BUDGET_CHARS, OpenText, Regions, related
from phial.assist.excerpt import Excerpt, Snippet
from unit.assist.cursor import excerpt_at

PRICES = """def price_of(basket, discount):
    total = sum(item.price * item.count for item in basket)
    return total * (1 - discount)
"""
GREETINGS = """def greet(person):
    salutation = "Hello"
    return f"{salutation}, {person}!"
"""
HERE = "from shop import price_of\n\ndef weight_of(basket, discount):\n    total = sum(item.weight * item.count $0\n"


def chosen(before: str, *others: OpenText, here: str | None = None) -> list[str]:
    text = before.replace("$0", "")
    found = related(excerpt_at(before), OpenText(text if here is None else here, "a.py", "python"), others)
    return [snippet.code for snippet in found]


def test_code_alike_is_shown_and_other_code_is_not() -> None:
    prices, greetings = (OpenText(text, "b.py", "python") for text in (PRICES, GREETINGS))
    without_import = HERE.partition("\n")[2]
    assert chosen(without_import, greetings, prices) == [PRICES.rstrip("\n")]


def test_a_definition_is_shown_that_was_imported_and_is_used() -> None:
    definition = "def price_of(basket):\n" + "    unlike = 1\n" * 30
    before = "from shop import price_of, other\n\nx = price_of($0\n"
    [shown] = chosen(before, OpenText(definition, "shop.py", "python"))
    assert shown.startswith("def price_of(basket):\n    unlike = 1")
    assert shown.count("\n") == 7
    assert chosen("from shop import price_of\n\ny = $0\n" + "\n" * 30, OpenText(GREETINGS, "b.py")) == []


def test_the_same_file_out_of_sight_counts_and_what_is_in_sight_does_not() -> None:
    before = HERE.partition("\n")[2]
    assert chosen(before, here=PRICES + "\n" * 60 + before.replace("$0", "")) == [PRICES.rstrip("\n")]
    assert chosen(before) == []


def test_a_text_that_stands_there_twice_is_shown_once() -> None:
    copies = [OpenText(PRICES, name, "python") for name in ("b.py", "c.py")]
    assert chosen(HERE.partition("\n")[2], *copies) == [PRICES.rstrip("\n")]


@pytest.mark.parametrize("path", [".env", "secrets.json", "/home/me/.ssh/config"])
def test_secrets_are_never_shown(path: str) -> None:
    assert chosen(HERE, OpenText(PRICES, path, "python")) == []


def test_where_one_has_edited_is_preferred() -> None:
    alike, edited = PRICES, PRICES.replace("price_of", "cost_of")
    texts = OpenText(alike, "b.py"), OpenText(edited, "c.py", edited=(1,))
    assert chosen(HERE.partition("\n")[2], *texts)[-1] == edited.rstrip("\n")


@given(st.lists(st.text("ab \n(", max_size=3000), max_size=3), st.text("ab \n(", max_size=300))
def test_no_more_is_shown_than_fits(texts: list[str], prefix: str) -> None:
    found = related(Excerpt(prefix, ""), OpenText(prefix), [OpenText(text) for text in texts])
    assert sum(len(snippet.code) for snippet in found) <= BUDGET_CHARS


def test_the_choice_stays_while_one_types_and_others_do_not_change() -> None:
    regions = Regions()
    here, others = OpenText(HERE, "a.py"), [OpenText(PRICES, "b.py")]
    first = regions.related(excerpt_at(HERE), 3, here, others)
    assert first == (Snippet(PRICES.rstrip("\n"), "b.py"),)
    elsewhere = excerpt_at("something = else_entirely$0")
    assert regions.related(elsewhere, 4, here, others) is first
    assert regions.related(elsewhere, 400, here, others) == ()
    assert regions.related(elsewhere, 4, here, [OpenText(GREETINGS, "b.py")]) == ()


def test_a_choice_is_forgotten_after_many_others() -> None:
    regions = Regions()
    found = [
        regions.related(excerpt_at(HERE), 100 * line, OpenText(HERE, "a.py"), [OpenText(PRICES, "b.py")])
        for line in (0, *range(1, 40), 0)
    ]
    assert all(one == other for one, other in pairwise(found))
    assert found[0] is not found[-1]
