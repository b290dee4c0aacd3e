from app import database
from tests.cast import make_cast, make_competitor


async def test_names_in_every_script_are_kept_and_folded() -> None:
    cast = await make_cast()
    await make_competitor(cast.coach_a, "ÉLODIE Ångström", team_id=cast.team_a)
    assert await database.fetchval("select lower(first_name) from competitors") == "élodie"
