"""The numbers beside the alerts are the rows behind them, whatever is filtered; and cost the same at every size."""

import random
from typing import Any

import pytest

from app import database
from app.domain.alert_list import GROUPS, OWNERS, STATES, View
from app.domain.alert_rules import RULES, Rule
from app.domain.scopes import Scope
from app.queries import alerts, scopes
from tests.cast import Cast, make_cast, make_competitor
from tests.clients import client_for
from tests.readers import reader_for
from tests.statements import count_statements


@pytest.fixture
async def cast() -> Cast:
    """Alerts of every rule in every state, about people, teams and everybody."""
    cast = await make_cast()
    chance = random.Random(7)
    people = [
        await make_competitor(coach, f"P{number} {coach.email[:3]}", team_id=team if number % 2 else None,
                              division=chance.choice(["high_school", "college"]))
        for coach, team in ((cast.coach_a, cast.team_a), (cast.coach_b, cast.team_b)) for number in range(6)
    ]
    about = [(person, None) for person in people] + [(None, cast.team_a), (None, cast.team_b), (None, None)]
    for number in range(150):
        person, team = chance.choice(about)
        await database.execute(
            """insert into alerts (organization_id, rule, subject, competitor_id, team_id, state, opened_at, owner_id,
                   snoozed_until)
               values ($1, $2, $3, $4, $5, $6, now() - $7 * interval '1 day', $8, now() + $9 * interval '1 day')""",
            cast.organization_id, chance.choice(list(Rule)).value, str(number), person, team,
            chance.choice(["open", "open", "unknown", "resolved"]), float(chance.randint(0, 20)),
            chance.choice([None, cast.coach_a.id, cast.coach_b.id]), chance.choice([None, None, -1.0, 1.0]),
        )
    return cast


def random_view(chance: random.Random, cast: Cast) -> View:
    scope = Scope(
        team_id=chance.choice([None, None, cast.team_a, cast.team_b]), division=chance.choice(["", "", "college"]),
        coach_id=chance.choice([None, None, cast.coach_a.id]),
    )
    values: dict[str, Any] = {
        "state": chance.choice(["", *STATES]), "rule": chance.choice(["", "", *RULES]),
        "group": chance.choice(["", "", *GROUPS]), "owner": chance.choice(["", *OWNERS]),
    }
    return View(scope, **values)


@pytest.mark.parametrize("who", ["coach_a", "coach_b", "admin"])
async def test_every_count_is_the_number_of_its_rows(cast: Cast, who: str) -> None:
    reader, chance, seen = await reader_for(getattr(cast, who)), random.Random(who), 0
    for _ in range(60):
        asked = random_view(chance, cast)
        frame = await scopes.frame(asked.scope, reader)
        view, _ = alerts.understood(asked, frame)
        rows = [row async for page in alerts.walk(view, frame, reader.user_id, size=7) for row in page]
        counts = await alerts.get_counts(view, frame, reader.user_id)
        assert len(rows) == len({row.alert_id for row in rows})
        assert len(rows) == counts.count(view.shown_state, rule=view.rule), view
        seen += len(rows)
    assert seen > 20


async def test_the_cards_count_what_their_links_lead_to(cast: Cast) -> None:
    reader = await reader_for(cast.coach_a)
    frame = await scopes.frame(Scope(), reader)
    for card in await alerts.cards(frame, limit=2):
        for state, count in (("open", card.count), ("unknown", card.unknown)):
            view = View(frame.scope, state, group=card.group)
            assert count == sum([len(page) async for page in alerts.walk(view, frame, reader.user_id)])
        assert len(card.alerts) == min(2, card.count)


async def test_the_page_asks_the_same_number_of_questions_at_every_size(cast: Cast) -> None:
    async with await client_for(cast.coach_a) as client:
        many = await count_statements(client, "/alerts")
        await database.execute("delete from alerts where id not in (select id from alerts limit 1)")
        assert await count_statements(client, "/alerts") == many <= 6
