"""The address of a comparison: order kept, at most four, nothing that fails."""

from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from app.domain.compare import COMPETITOR, MOST, TEAM, Measure, parse, per_head

IDS = [str(uuid4()) for _ in range(6)]


def test_the_order_of_the_address_is_kept_and_comes_back() -> None:
    parsed = parse([("team", IDS[1]), ("team", IDS[0]), ("team", IDS[1]), ("window", "7")])
    assert (parsed.view.kind, parsed.view.ids, parsed.notices) == (TEAM, (UUID(IDS[1]), UUID(IDS[0])), ())
    assert parsed.view.url() == f"/compare?team={IDS[1]}&team={IDS[0]}&window=7"
    assert parsed.view.without(UUID(IDS[1])) == f"/compare?team={IDS[0]}&window=7"
    assert parsed.view.url(file="csv").endswith("&format=csv")


def test_more_than_four_unknown_ones_and_both_kinds_are_named() -> None:
    many = parse([("competitor", each) for each in IDS])
    assert (many.view.kind, len(many.view.ids)) == (COMPETITOR, MOST) and "At most 4" in many.notices[0]
    assert not many.view.has_room
    odd = parse([("team", "x"), ("team", IDS[0]), ("competitor", IDS[1]), ("window", "x")])
    assert odd.view.ids == (UUID(IDS[0]),) and len(odd.notices) == 3
    assert parse([("team", ""), ("team", "")]).view.url() == "/compare"


def test_the_best_is_marked_only_where_there_is_one() -> None:
    assert Measure("Points", (1, 3, 3)).best == {1, 2}
    assert Measure("Points", (2, 2)).best == frozenset() == Measure("Members", (1, 2), is_more_better=False).best
    assert (per_head(10, 4), per_head(10, 0)) == (2.5, 0)


NAMES = st.sampled_from(["team", "competitor", "window", "from", "q"])


@given(st.lists(st.tuples(NAMES, st.text() | st.sampled_from(IDS))))
def test_any_address_is_understood(pairs: list[tuple[str, str]]) -> None:
    view = parse(pairs).view
    assert len(view.ids) <= MOST and len(set(view.ids)) == len(view.ids)
