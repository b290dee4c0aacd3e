"""A league of any size for measuring, made by the database itself: the same rows every time."""

from uuid import UUID

from app import database
from app.services import standings

PEOPLE_PER_COACH = 24
PEOPLE_PER_TEAM = 6
SOLVES_PER_PERSON = 10
CATEGORIES = (
    "Cryptography", "Reconnaissance", "Forensics", "OSINT", "Social", "Web Exploitation", "Operating Systems",
    "Reverse Engineering", "Binary Exploitation", "Miscellaneous", "Other",
)
FIRST_NAMES = [
    "Ada", "Amina", "Björn", "Carmen", "Chidi", "Dmitri", "Elif", "Fatima", "Giulia", "Hana", "Ingrid", "Jamal", "José",
    "Kaito", "Lena", "Linh", "Mateo", "Mei", "Nia", "Noah", "Olu", "Priya", "Quinn", "Ravi", "Sofía", "Tariq", "Uma",
    "Viktor", "Wei", "Ximena", "Yara", "Zoë",
]
LAST_NAMES = [
    "Abara", "Becker", "Castillo", "Dubois", "Eriksen", "Fischer", "García", "Haddad", "Ivanova", "Jensen", "Kowalski",
    "Lindqvist", "Moreau", "Nakamura", "Okafor", "Petrov", "Quispe", "Rossi", "Sato", "Tanaka", "Ueda", "Vargas",
    "Weber", "Xu", "Yılmaz", "Zhang", "Oyelaran", "Nguyen", "Sharma", "Kim", "Silva", "Novák",
]

COACHES = """
insert into users (email, role, first_name, last_name, display_name)
select 'coach' || n || '@example.org', 'coach', 'Coach', 'Number ' || n, 'Coach Number ' || n
from generate_series(1, $1::int) n
"""
ADMIN = "insert into users (email, role, display_name) values ('admin@example.org', 'admin', 'Admin')"
MEMBERS = "insert into organization_members (organization_id, user_id) select $1, id from users"
TEAMS = """
insert into teams (organization_id, coach_id, name, division, affiliation)
select $1, u.id, 'Team ' || n, (array['middle_school', 'high_school', 'college'])[1 + n % 3], 'Example School'
from generate_series(1, $2::int) n
join users u on u.email = 'coach' || (1 + (n - 1) / 4) || '@example.org'
"""
COMPETITORS = """
insert into competitors (organization_id, coach_id, first_name, last_name, division, status, release_signed,
    agreement_signed, data_consent, game_platform_id, metactf_username, metactf_user_status)
select $1, t.coach_id, ($3::text[])[1 + n % 32], ($4::text[])[1 + (n / 32) % 32] || ' ' || to_hex(n), t.division,
    'complete', true, true, true, 'bench-' || n, 'player_' || n, 'approved'
from generate_series(1, $2::int) n join teams t on t.name = 'Team ' || (1 + (n - 1) / 6)
"""
MEMBERSHIPS = """
insert into team_memberships (team_id, competitor_id)
select t.id, c.id from competitors c
join teams t on t.name = 'Team ' || (1 + (split_part(c.game_platform_id, '-', 2)::int - 1) / 6)
"""
SYNC_STATE = """
insert into game_platform_sync_state (syned_user_id, competitor_id, last_remote_accessed_at, last_success_at,
    last_result)
select game_platform_id, id, now() - random() * interval '40 days', now() - random() * interval '2 hours', 'success'
from competitors
"""
# So many solves each that most people have few and some have many, alike in every league; ten on the average.
SOLVES = """
insert into game_platform_challenge_solves (competitor_id, syned_user_id, challenge_solve_id, challenge_id,
    challenge_title, challenge_category, category, challenge_points, solved_at, source, event_id)
select s.id, s.game_platform_id, n::text, 'challenge-' || s.challenge, 'Challenge ' || s.challenge, s.category,
    s.category,
    50 * (1 + s.challenge % 10), now() - make_interval(secs => 300 * 86400 * power(random(), 1.5)), s.source,
    case s.source when 'odl' then '' else 'flash-' || s.challenge % 6 end
from (
    select c.id, c.game_platform_id, n, floor(random() * 400)::int as challenge,
        ($1::text[])[1 + floor(random() * 11)::int] as category,
        case when random() < 0.8 then 'odl' else 'flash_ctf' end as source
    from (select id, game_platform_id, floor(-$2::int * ln(1 - random()))::int as solves from competitors) c
    cross join lateral generate_series(1, c.solves) n
) s
"""
STATS = """
insert into game_platform_stats (competitor_id, challenges_completed, total_score, monthly_ctf_challenges,
    last_solved_at)
select competitor_id, count(*), sum(challenge_points), count(*) filter (where source = 'flash_ctf'), max(solved_at)
from game_platform_challenge_solves group by 1
"""


async def _bulk(sql: str, *arguments: object) -> None:
    """Rows by the million take longer than a page may."""
    async with database.connection() as connection:
        await connection.execute(sql, *arguments, timeout=900)


async def make_league(people: int, solves: int = SOLVES_PER_PERSON) -> UUID:
    """An organization with so many competitors, and so many solves each on the average, its standings computed; its
    id."""
    async with database.transaction():
        await database.fetchval("select setseed(0.5)")
        organization_id = UUID(
            str(await database.fetchval("insert into organizations (name) values ('Bench League') returning id"))
        )
        await _bulk(COACHES, -(-people // PEOPLE_PER_COACH))
        await _bulk(ADMIN)
        await _bulk(MEMBERS, organization_id)
        await _bulk(TEAMS, organization_id, -(-people // PEOPLE_PER_TEAM))
        await _bulk(COMPETITORS, organization_id, people, FIRST_NAMES, LAST_NAMES)
        await _bulk(MEMBERSHIPS)
        await _bulk(SYNC_STATE)
        await _bulk(SOLVES, list(CATEGORIES), solves)
        await _bulk(STATS)
    await _bulk("vacuum analyze")
    await standings.refresh_stale()
    await _bulk("vacuum analyze")
    return organization_id
