"""What stands for a name while somebody presents."""

from dataclasses import replace
from uuid import uuid4

from app.domain.presenting import LABEL_CHARACTERS, shown_name
from app.domain.readers import Reader, Sight

READER = Reader(
    user_id=uuid4(), session_id=uuid4(), role="coach", name="Ada", time_zone="UTC", theme="system",
    organization_ids=(), sight=Sight(), is_presenting=True,
)


def test_a_handle_comes_before_a_label_and_a_name_is_only_for_who_does_not_present() -> None:
    person = uuid4()
    assert shown_name(READER, "Ana Ångström", "ana", person) == "ana"
    assert shown_name(replace(READER, is_presenting=False), "Ana Ångström", "ana", person) == "Ana Ångström"
    assert shown_name(None, "Ana Ångström") == "Competitor"


def test_a_label_is_the_same_for_one_session_and_another_for_the_next() -> None:
    person = uuid4()
    label = shown_name(READER, "Ana Ångström", "", person)
    assert label == shown_name(READER, "Ana", "", person) and label != shown_name(READER, "Ana", "", uuid4())
    assert label != shown_name(replace(READER, session_id=uuid4()), "Ana", "", person)
    word, _, letters = label.partition(" ")
    assert (word, len(letters)) == ("Competitor", LABEL_CHARACTERS) and not set(letters) & set("AEIOUY01")


def test_a_roster_of_hundreds_is_told_apart() -> None:
    assert len({shown_name(READER, "", "", uuid4()) for _ in range(300)}) > 298
