"""A roster file between the look at it and the import. Its content is gone after the import, or after a day."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from app import database
from app.domain.readers import Reader
from app.domain.roster_file import MAX_BYTES
from app.services.roster_import import ImportReport, import_roster

LONGEST_NAME = 100

FIND = """
    select u.id, u.file_name, u.content, u.counts, u.imported_at, u.created_at, coach.email as coach_email,
        coalesce(nullif(coach.display_name, ''), trim(coach.first_name || ' ' || coach.last_name)) as coach
    from roster_uploads u join users coach on coach.id = u.coach_id
    where u.id = $1 and u.user_id = $2
"""


class NotFound(Exception):
    """Not there any more, or somebody else's."""


class UploadError(Exception):
    """What is wrong with an upload as a whole; `field` is where in the form it belongs."""

    def __init__(self, text: str, field: str) -> None:
        super().__init__(text)
        self.text = text
        self.field = field


@dataclass(frozen=True, slots=True)
class Upload:
    """`content` is None after the import; `outcome` before it."""

    id: UUID
    file_name: str
    content: bytes | None
    outcome: ImportReport | None
    coach: str
    coach_email: str
    created_at: datetime
    imported_at: datetime | None


async def keep(reader: Reader, *, coach_id: UUID | None, file_name: str, content: bytes) -> UUID:
    """For the reader's own roster; an admin names the coach. An earlier file that was not imported goes."""
    if not content.strip():
        raise UploadError("Choose a CSV file that is not empty.", "file")
    if len(content) > MAX_BYTES:
        raise UploadError(f"The file is larger than {MAX_BYTES // 1024 // 1024} MB. Split it.", "file")
    owner = await _coach(reader, coach_id)
    async with database.transaction():
        await database.execute("delete from roster_uploads where user_id = $1 and imported_at is null", reader.user_id)
        upload_id = await database.fetchval(
            "insert into roster_uploads (user_id, coach_id, file_name, content) values ($1, $2, $3, $4) returning id",
            reader.user_id, owner, _printable(file_name), content,
        )
    return UUID(str(upload_id))


async def find(reader: Reader, upload_id: UUID) -> Upload:
    row = await database.fetchrow(FIND, upload_id, reader.user_id)
    if row is None:
        raise NotFound
    upload = {name: value for name, value in row.items() if name != "counts"}
    return Upload(**upload, outcome=ImportReport(**json.loads(row["counts"])) if row["counts"] else None)


async def run(reader: Reader, upload_id: UUID) -> ImportReport | None:
    """The import itself; with errors nothing was changed. None where it has been done already."""
    upload = await find(reader, upload_id)
    if upload.content is None:
        return None
    return await import_roster(
        upload.content, coach_email=upload.coach_email, dry_run=False, actor=reader, actor_label="",
        remember=partial(_finish, upload_id),
    )


async def _finish(upload_id: UUID, report: ImportReport) -> None:
    """What the first of two clicks did stays."""
    counts = {name: value for name, value in asdict(report).items() if name != "errors"}
    await database.execute(
        """update roster_uploads set content = null, counts = $2::jsonb, imported_at = now()
           where id = $1 and imported_at is null""",
        upload_id, json.dumps(counts),
    )


async def _coach(reader: Reader, coach_id: UUID | None) -> UUID:
    wanted = reader.user_id if reader.is_coach else coach_id
    found = await database.fetchval(
        """select u.id from users u where u.id = $1 and u.role = 'coach' and u.disabled_at is null and u.email <> ''
               and exists (select from organization_members m where m.user_id = u.id)""",
        wanted,
    )
    if found is None:
        raise UploadError("Choose whose roster this is.", "coach_id")
    return UUID(str(found))


def _printable(file_name: str) -> str:
    return "".join(letter for letter in file_name if letter.isprintable())[:LONGEST_NAME] or "roster.csv"
