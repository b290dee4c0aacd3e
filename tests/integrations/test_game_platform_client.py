"""The client's reading: one bad record delays no other, and whatever a vendor says is an answer or a VendorError."""

import contextlib
import json
import time
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app import database
from app.integrations.bodies import parse_json
from app.integrations.game_platform.client import GamePlatformClient, forbidden
from app.integrations.game_platform.schemas import NewTeam, NewUser, OdlScores, UserStatus
from app.integrations.http import ErrorKind, VendorError, VendorHttp, make_client
from tests.integrations.wire import Office, answer

SOLVE: dict[str, Any] = {
    "challenge_solve_id": 1819, "challenge_id": 12, "challenge_title": "Caesar", "challenge_points": 200,
    "challenge_category": "crypto", "timestamp_unix": 1_767_220_000, "challenge_retired": False,
    "nist_nice_work_roles": ["Cyber Defense Analyst"],
}
SCORES: dict[str, Any] = {
    "syned_user_id": "student-1", "metactf_user_id": 5401, "total_challenges_solved": 2, "total_points": 300,
    "last_accessed_unix_timestamp": 1_767_225_600, "category_points": {"crypto": 200}, "challenge_solves": [SOLVE],
}
EVENT: dict[str, Any] = {
    "flash_ctf_name": "November Flash CTF", "flash_ctf_time_start_unix": 1_764_000_000, "challenges_solved": 1,
    "points_earned": 100, "max_points_possible": 600, "rank": 14, "challenge_solves": [SOLVE],
}
USER: dict[str, Any] = {
    "metactf_user_id": 5401, "metactf_username": "ab12345", "syned_user_id": "student-1",
    "metactf_user_status": "user_created",
}
NEW_USER = NewUser(
    first_name="Ada", last_name="Alder", email="ada@example.org", role="user", syned_user_id="student-1",
    syned_coach_user_id="coach-1",
)


def client_for(status: int, body: object) -> GamePlatformClient:
    """A client whose platform always answers this."""
    transport = httpx.MockTransport(lambda _: answer(status, body))
    http = make_client("https://p.example", token="t", concurrency=1, transport=transport)
    office = Office()
    return GamePlatformClient(
        VendorHttp(http, vendor="game_platform", limiter=office, breaker=office, ledger=office, forbidden=forbidden)
    )


async def scores_of(body: object) -> OdlScores:
    return await client_for(200, body).odl_scores("student-1")


async def reason_for(**changed: object) -> str:
    """Why a solve with these fields is put aside; a good one beside it always survives."""
    scores = await scores_of(SCORES | {"challenge_solves": [SOLVE | changed, SOLVE]})
    assert [solve.raw for solve in scores.challenge_solves] == [SOLVE]
    [rejected] = scores.rejected
    return rejected.reason


# reading


async def test_ids_are_text_and_unknown_fields_are_kept() -> None:
    scores = await scores_of(SCORES | {"challenge_solves": [SOLVE | {"difficulty": "hard"}], "league": 7})
    [solve] = scores.challenge_solves
    assert (solve.challenge_solve_id, solve.challenge_id, scores.metactf_user_id) == ("1819", "12", "5401")
    assert solve.raw == SOLVE | {"difficulty": "hard"} and scores.raw["league"] == 7
    assert scores.last_accessed_at == datetime(2026, 1, 1, tzinfo=UTC)


async def test_somebody_who_was_never_there_has_no_last_access() -> None:
    assert (await scores_of(SCORES | {"last_accessed_unix_timestamp": 0})).last_accessed_at is None
    user = await client_for(201, USER | {"last_login_unix_timestamp": None}).get_user("student-1")
    assert user.last_login_at is None and user.metactf_user_status is UserStatus.USER_CREATED


async def test_a_missing_field_is_named() -> None:
    body = {name: value for name, value in SCORES.items() if name not in ("total_points", "challenge_solves")}
    with pytest.raises(VendorError) as caught:
        await scores_of(body)
    assert caught.value.kind is ErrorKind.BAD_SHAPE
    assert caught.value.message == "OdlScores: total_points is missing; challenge_solves is missing"


async def test_a_message_about_a_bad_field_does_not_repeat_its_value() -> None:
    with pytest.raises(VendorError) as caught:
        await client_for(201, USER | {"metactf_user_status": "ada@example.org"}).get_user("student-1")
    assert "metactf_user_status" in caught.value.message and "ada" not in caught.value.message


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"7", b"null", b"", b'{"a": 1, "a": 2}'])
async def test_a_body_that_is_no_plain_object_is_bad_shape(body: bytes) -> None:
    with pytest.raises(VendorError) as caught:
        await scores_of(body)
    assert caught.value.kind is ErrorKind.BAD_SHAPE


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("challenge_points", "many"), ("challenge_points", True), ("challenge_points", 2**31),
        ("challenge_points", 1.5), ("challenge_solve_id", True), ("challenge_solve_id", ""),
        ("challenge_solve_id", None), ("challenge_id", "9" * 201), ("challenge_title", None),
        ("challenge_retired", "perhaps"), ("nist_nice_work_roles", "one"), ("timestamp_unix", "today"),
    ],
)
async def test_a_solve_with_a_bad_field_is_put_aside_and_the_field_is_named(field: str, value: object) -> None:
    assert (await reason_for(**{field: value})).startswith(f"{field}")


@pytest.mark.parametrize("moment", [1_767_220_000_000, 0, -1, 1_420_070_399, 9_999_999_999])
async def test_a_time_in_milliseconds_before_2015_or_in_the_future_is_put_aside(moment: int) -> None:
    reason = await reason_for(timestamp_unix=moment)
    assert reason == "timestamp_unix: is not a time in Unix seconds between 2015 and now"


async def test_poison_within_one_record_stays_within_it() -> None:
    good = json.dumps(SOLVE)
    twice = good[:-1] + ', "challenge_points": 5}'
    not_a_number = good.replace('"challenge_points": 200', '"challenge_points": NaN')
    endless = good.replace("1819", "1" * 5000)
    body = json.dumps(SCORES | {"challenge_solves": ["HERE"]}).replace(
        '"HERE"', ", ".join([twice, good, not_a_number, "null", "[]", endless])
    )
    scores = await scores_of(body.encode())
    assert len(scores.challenge_solves) == 1
    assert [rejected.reason.split(":")[0] for rejected in scores.rejected] == [
        "names a field twice", "challenge_points", "is not a JSON object", "is not a JSON object", "challenge_solve_id",
    ]


async def test_the_same_solve_id_twice_is_two_records_here() -> None:
    assert len((await scores_of(SCORES | {"challenge_solves": [SOLVE, SOLVE]})).challenge_solves) == 2


async def test_a_bad_solve_of_one_flash_ctf_spoils_neither_it_nor_the_others() -> None:
    events = [EVENT | {"challenge_solves": [SOLVE, {}]}, {"flash_ctf_name": "?"}, EVENT | {"rank": None}]
    progress = await client_for(200, {"syned_user_id": "student-1", "flash_ctfs": events}).flash_ctf_progress("x")
    first, second = progress.flash_ctfs
    assert (len(first.challenge_solves), len(first.rejected), second.rank) == (1, 1, None)
    assert first.raw == events[0] and len(progress.rejected) == 1


async def test_a_list_of_assignments_is_complete_only_when_nothing_is_missing() -> None:
    one = {"syned_user_id": "student-1", "syned_team_id": "team-1"}
    for entries, total, complete in (([one], 1, True), ([one, {}], 2, False), ([one], 2, False), ([], 0, True)):
        listing = await client_for(200, {"assignments": entries, "total_count": total}).team_assignments()
        assert listing.complete is complete


async def test_a_list_of_nothing_but_rubbish_is_given_up_early() -> None:
    started = time.monotonic()
    with pytest.raises(VendorError) as caught:
        await scores_of(SCORES | {"challenge_solves": [{}] * 300_000})
    assert caught.value.kind is ErrorKind.BAD_SHAPE and "more than 1000 of its records" in caught.value.message
    assert time.monotonic() - started < 5


# writing and refusals


async def test_an_account_whose_answer_cannot_be_read_may_exist() -> None:
    with pytest.raises(VendorError) as caught:
        await client_for(201, {"metactf_user_id": 1}).create_user(NEW_USER)
    assert caught.value.kind is ErrorKind.BAD_SHAPE and caught.value.ambiguous


async def test_a_refusal_does_not_repeat_the_name_or_address_that_was_sent() -> None:
    with pytest.raises(VendorError) as caught:
        await client_for(409, {"detail": "Ada ALDER (Ada@Example.org) is registered, role user"}).create_user(NEW_USER)
    assert caught.value.message == "… … (…) is registered, role user"


@pytest.mark.parametrize(
    ("detail", "kind"),
    [
        ("User not found or not approved", ErrorKind.NOT_FOUND),
        ("Coach not found or not approved connection", ErrorKind.NOT_FOUND),
        ("Not authenticated", ErrorKind.UNAUTHORIZED),
    ],
)
async def test_a_403_about_a_person_is_not_one_about_our_token(detail: str, kind: ErrorKind) -> None:
    with pytest.raises(VendorError) as caught:
        await client_for(403, {"detail": detail}).odl_scores("student-1")
    assert (caught.value.kind, caught.value.status) == (kind, 403)


# anything at all

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["\x00", "\ud800"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
FULL = {
    "user": USER, "team": {"metactf_team_id": 7, "metactf_coach_id": "9", "syned_team_id": "t", "team_name": "F",
                           "division": "college", "affiliation": "S"},
    "assignments": {"assignments": [{"syned_user_id": "a"}], "total_count": 1},
    "scores": SCORES, "progress": {"syned_user_id": "student-1", "flash_ctfs": [EVENT]},
}
TEAM = NewTeam(syned_team_id="t", syned_coach_user_id="c", team_name="F", affiliation="S", division="college")


async def ask_everything(status: int, body: object) -> None:
    client = client_for(status, body)
    for ask in (
        client.index(), client.get_user("x"), client.create_user(NEW_USER), client.create_team(TEAM),
        client.delete_team("t"), client.assign_team(syned_team_id="t", syned_user_id="u"),
        client.delete_assignment("u"), client.team_assignments(), client.odl_scores("u"),
        client.flash_ctf_progress("u"),
    ):
        with contextlib.suppress(VendorError):
            await ask


relaxed = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@relaxed
@given(body=anything, status=st.sampled_from([200, 201, 400, 403, 404, 409, 422]))
async def test_any_json_is_an_answer_or_a_vendor_error(body: object, status: int) -> None:
    await ask_everything(status, body)


@relaxed
@given(body=st.binary(max_size=200), status=st.sampled_from([200, 422]))
async def test_any_bytes_are_an_answer_or_a_vendor_error(body: bytes, status: int) -> None:
    await ask_everything(status, body)


@relaxed
@given(data=st.data(), poison=anything, name=st.sampled_from(sorted(FULL)))
async def test_any_value_in_any_place_is_an_answer_or_a_vendor_error(
    data: st.DataObject, poison: object, name: str
) -> None:
    body = deepcopy(FULL[name])
    place: Any = body
    while True:
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        if not isinstance(place[key], (dict, list)) or not place[key] or data.draw(st.booleans()):
            break
        place = place[key]
    place[key] = poison
    await ask_everything(200, body)


@relaxed
@given(body=anything)
async def test_whatever_is_read_fits_into_postgresql(body: object) -> None:
    value = parse_json(json.dumps(body).encode())
    assert await database.fetchval("select $1::jsonb is not null", json.dumps(value))


@relaxed
@given(body=anything)
def test_ordinary_data_is_read_as_it_was_sent(body: object) -> None:
    text = json.dumps(body)
    if not any(odd in text for odd in ("NaN", "Infinity", "\\u0000", "\\ud")) and len(text) < 10_000:
        expected = json.loads(text)
        assert parse_json(text.encode()) == expected
