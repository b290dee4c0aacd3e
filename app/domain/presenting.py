"""What stands for a competitor's name and mail while somebody presents: many competitors are minors, and a projector
shows a page to people who may not know who is who."""

import hashlib
from uuid import UUID

from app.domain.readers import Reader

WITHOUT_HANDLE = "Competitor"
LABEL_CHARACTERS = 5
LETTERS = "23456789BCDFGHJKLMNPQRSTVWXZ"
"""Without vowels, so that no label is a word, and without what looks alike."""
HIDDEN_MAIL = "hidden while presenting"


def shown_name(reader: Reader | None, name: str, handle: str = "", person_id: UUID | str | None = None) -> str:
    """The name, or while presenting the handle; who has none is told apart by a label that means nothing."""
    if reader is not None and not reader.is_presenting:
        return name
    return handle or _label(reader, person_id)


def _label(reader: Reader | None, person_id: UUID | str | None) -> str:
    """The same on every page and in every file of a session. Another session has others, so that nobody learns whose
    it is. The keyed hash of an id leads nowhere."""
    if reader is None or person_id is None:
        return WITHOUT_HANDLE
    number = int.from_bytes(hashlib.blake2s(str(person_id).encode(), key=reader.session_id.bytes).digest())
    letters = []
    for _ in range(LABEL_CHARACTERS):
        number, place = divmod(number, len(LETTERS))
        letters.append(LETTERS[place])
    return f"{WITHOUT_HANDLE} {''.join(letters)}"


def shown_mail(reader: Reader | None, email: str | None) -> str:
    return HIDDEN_MAIL if email and (reader is None or reader.is_presenting) else email or ""
