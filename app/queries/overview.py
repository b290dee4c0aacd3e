"""What the overview's own panels need besides the numbers."""

from app import database
from app.queries.keyset import Arguments
from app.queries.scopes import Frame


async def count_people(frame: Frame) -> int:
    arguments = Arguments()
    return int(await database.fetchval(
        f"""select count(*) from competitors c left join team_memberships m on m.competitor_id = c.id
            where c.archived_at is null and {frame.people(arguments)}""",  # noqa: S608
        *arguments.values,
    ))
