"""One file per page family. `ROUTES` is the whole route table; a test fails on a route without a policy."""

from litestar.types import ControllerRouterHandler

from app.controllers import (
    appearance,
    competitors,
    components,
    health,
    home,
    jobs_api,
    leaderboard,
    monthly_ctf,
    organizations,
    overview,
    practice_hours,
    presenting,
    report_card,
    roster_import,
    second_factor,
    settings_page,
    sign_in,
    team_changes,
    team_page,
    teams,
)

ROUTES: list[ControllerRouterHandler] = [
    overview.show,
    *home.ROUTES,
    appearance.appearance,
    components.components,
    presenting.present,
    *health.ROUTES,
    *jobs_api.ROUTES,
    *sign_in.ROUTES,
    leaderboard.leaderboard,
    monthly_ctf.show,
    *competitors.ROUTES,
    *roster_import.ROUTES,
    *report_card.ROUTES,
    *teams.ROUTES,
    *team_page.ROUTES,
    *team_changes.ROUTES,
    *settings_page.ROUTES,
    *second_factor.ROUTES,
    *organizations.ROUTES,
    *practice_hours.ROUTES,
]
