"""One competitor as the edit form needs them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from app import database
from app.domain.competitor_status import Progress
from app.domain.readers import Reader
from app.domain.roster_form import FIELDS


@dataclass(frozen=True, slots=True)
class Editable:
    """`seen` tells this state from a later one; `by_hand` are the fields that no import changes."""

    competitor_id: UUID
    name: str
    handle: str
    values: Mapping[str, str | bool | None]
    by_hand: frozenset[str]
    seen: str
    has_account: bool
    has_email: bool
    is_archived: bool


async def get_editable(reader: Reader, competitor_id: UUID) -> Editable | None:
    """None also for whom the reader may not see. An e-mail address is for coaches."""
    condition, arguments = reader.sight.condition("c.coach_id", "m.team_id", 2)
    row = await database.fetchrow(
        f"""select c.* from competitors c left join team_memberships m on m.competitor_id = c.id
            where c.id = $1 and {condition}""",  # noqa: S608
        competitor_id, *arguments,
    )
    if row is None:
        return None
    values = {name: row[name] for name in FIELDS}
    return Editable(
        competitor_id=competitor_id, name=f"{row['first_name']} {row['last_name']}".strip(),
        handle=row["metactf_username"] or "", values=values if reader.is_coach else {**values, "email": None},
        by_hand=frozenset(json.loads(row["edited_fields"])), seen=row["updated_at"].isoformat(),
        has_account=Progress(**{name: row[name] for name in Progress.__dataclass_fields__}).has_account,
        has_email=bool(row["email"]), is_archived=row["archived_at"] is not None,
    )
