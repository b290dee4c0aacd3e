"""The limit: the least that could show the same 50 rows from the same database. One query, one template, no framework.

It knows no reader, no session and no filter, and sends its page as it is.
"""

import os
from typing import Any

import asyncpg
from jinja2 import Environment

from app.domain.sparklines import bars

ROWS = """
with page as (
    select * from standings where organization_id = (select id from organizations)
    order by rank, name_key collate "C", competitor_id limit 51
)
select p.rank, p.rank_30 - p.rank as steps, c.first_name || ' ' || c.last_name as name, c.metactf_username as handle,
    t.name as team, m.team_id, u.display_name as coach, c.coach_id, p.division, p.challenges, p.points,
    p.gain_30 as change, p.spark, p.last_active_at, y.last_success_at
from page p
join competitors c on c.id = p.competitor_id
left join team_memberships m on m.competitor_id = p.competitor_id
left join teams t on t.id = m.team_id
left join users u on u.id = c.coach_id
left join game_platform_sync_state y on y.competitor_id = p.competitor_id
order by p.rank, p.name_key collate "C", p.competitor_id
"""
PAGE = Environment(autoescape=True).from_string("""<!doctype html><html><head><title>Limit</title></head><body><table>
{% for row in rows %}<tr><td>{{ row.rank }}</td><td>{{ row.name }} {{ row.handle }}</td><td>{{ row.steps }}</td>
<td><a href="?team={{ row.team_id }}">{{ row.team }}</a> <a href="?coach={{ row.coach_id }}">{{ row.coach }}</a></td>
<td>{{ row.division }}</td><td>{{ row.challenges }}</td><td>{{ row.points }}</td><td>{{ row.change }}</td>
<td><svg viewBox="0 0 30 9"><path d="{{ line(row.spark) }}"/></svg></td>
<td><time datetime="{{ row.last_active_at }}">{{ row.last_active_at }}</time></td></tr>
{% endfor %}</table></body></html>""")

_pool: "asyncpg.Pool[Any] | None" = None


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    global _pool
    if scope["type"] == "lifespan":
        await receive()
        _pool = await asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=1, max_size=10)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await _pool.close()
        await send({"type": "lifespan.shutdown.complete"})
        return
    assert _pool
    rows = await _pool.fetch(ROWS)
    body = PAGE.render(rows=rows[:50], line=lambda spark: bars(tuple(spark))).encode()
    headers = [(b"content-type", b"text/html; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
