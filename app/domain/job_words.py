"""What kinds of work and vendors are called on pages."""

KIND_TITLES = {
    "game_platform_sync": "Score sync",
    "game_platform_totals_sweep": "Totals sweep",
    "game_platform_onboarding": "Onboarding",
    "game_platform_roster_reconcile": "Roster comparison",
    "game_platform_password_help": "Password help",
    "outbox_drain": "Sending of changes",
    "alerts_evaluate": "Alerts",
    "notifications": "Notification mail",
    "job_cleanup": "Cleanup",
}

VENDOR_TITLES = {"game_platform": "Game Platform"}


def kind_title(kind: str) -> str:
    """A kind that another version knows is called by its name."""
    return KIND_TITLES.get(kind, kind)


def vendor_title(vendor: str) -> str:
    return VENDOR_TITLES.get(vendor, vendor)
