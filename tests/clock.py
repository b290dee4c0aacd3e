"""Time goes by: everything that our clock has written moves into the past. What the vendor has timed stays as it is."""

from app import database

THE_VENDORS = ("solved_at", "last_solved_at", "last_odl_synced_at", "last_remote_accessed_at", "ended_at")

OUR_TIMES = """
    select table_name, array_agg(column_name::text) as columns from information_schema.columns
    where table_schema = 'public' and data_type = 'timestamp with time zone' and table_name not in ('migration')
        and table_name not like 'saq\\_%' and column_name <> all($1::text[])
        and not (table_name like 'game_platform_flash_ctf%' and column_name = 'started_at')
    group by 1 order by 1
"""


FAR = "interval '400000 days'"
"""Two rows of a unique column never meet on the way when all of them make a long way round."""


async def hours_go_by(hours: float) -> None:
    for table in await database.fetch(OUR_TIMES, list(THE_VENDORS)):
        for way in (f"+ {FAR}", f"- {FAR} - make_interval(mins => {round(hours * 60)})"):
            moved = ", ".join(f"{name} = {name} {way}" for name in table["columns"])
            await database.execute(f"update {table['table_name']} set {moved}")
