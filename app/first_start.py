"""Who can sign in after `bin/run`: the demo's people, or the first admin through a link that is printed once."""

from pathlib import Path

from app import database, demo
from app.services import accounts
from app.settings import get_settings

FIRST_ADMIN_EMAIL = "admin@localhost.localdomain"


async def with_demo(var_dir: Path) -> list[str]:
    """Loads the demo league where it is not there yet; the lines that tell how to sign in."""
    return await demo.tell(await demo.load(get_settings().game_platform_base_url, var_dir))


async def with_admin_link() -> list[str]:
    """The first admin's set-password link, as long as no admin has set a password; nothing after that."""
    if await database.fetchval("select 1 from users where role = 'admin' and password_hash is not null limit 1"):
        return []
    admin_id = await database.fetchval("select id from users where role = 'admin' order by created_at limit 1")
    if admin_id is None:
        created = await accounts.create_user(
            email=FIRST_ADMIN_EMAIL, role="admin", first_name="First", last_name="Admin", organization=None,
            organizer=False, password=None, actor_label="first start",
        )
        admin_id = created.user_id
    link = await accounts.make_set_password_link(admin_id)
    return [f"First admin: {FIRST_ADMIN_EMAIL}. Set the password within 24 hours: {link}"]
