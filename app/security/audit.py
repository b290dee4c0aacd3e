"""Who did what, and whose data went where. Call inside the transaction of the change: both stay or neither."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from app import database
from app.domain.readers import Reader


async def record(
    action: str,
    *,
    actor: Reader | None,
    actor_label: str = "",
    subject_type: str = "",
    subject_id: object = "",
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    organization_id: UUID | None = None,
    address: str | None = None,
) -> None:
    """`actor_label` names who acts where nobody is signed in: "command line", "scheduler"."""
    await database.execute(
        """insert into audit_log (actor_id, actor, organization_id, action, subject_type, subject_id, before, after,
               address)
           values ($1, $2, $3, $4, $5, $6, $7::jsonb, $8::jsonb, $9)""",
        actor.user_id if actor else None, actor.name if actor else actor_label, organization_id, action,
        subject_type, str(subject_id), _json(before), _json(after), address,
    )


async def disclose(
    competitor_ids: Sequence[UUID], *, purpose: str, recipient: str, user_id: UUID | None, fields: Sequence[str]
) -> None:
    """One row per person whose data was shown, exported or sent."""
    await database.execute(
        """insert into disclosure_log (competitor_id, purpose, recipient, user_id, fields)
           select competitor_id, $2, $3, $4, $5 from unnest($1::uuid[]) as competitor_id""",
        list(competitor_ids), purpose, recipient, user_id, list(fields),
    )


def _json(value: dict[str, Any] | None) -> str | None:
    return None if value is None else json.dumps(value, default=str)
