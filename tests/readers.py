"""A person of the cast as pages know them: read back from a real session."""

from app.domain.readers import Reader
from app.security import sessions
from tests.cast import Person


async def reader_for(person: Person) -> Reader:
    token = await sessions.open_session(person.id, address="203.0.113.7", user_agent="Firefox/140 Linux")
    _session, reader = await sessions.read_session(token)
    assert reader
    return reader
