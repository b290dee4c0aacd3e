"""What each switch does, in plain words."""

TITLES = {
    "game_platform": "Game Platform",
    "game_platform.onboarding": "Onboarding",
    "game_platform.roster_sync": "Roster changes",
    "game_platform.score_ingestion": "Scores",
    "game_platform.password_help": "Password help",
    "game_platform.batch_sync": "Reading in batches",
    "game_platform.prioritization": "Active competitors first",
}

DOES = {
    "game_platform": "Everything that talks to the Game Platform. Off: no calls, no buttons, and everything below is "
    "off.",
    "game_platform.onboarding": "Makes accounts on the platform for competitors whose papers are in.",
    "game_platform.roster_sync": "Sends changes of teams and people to the platform, and compares both sides.",
    "game_platform.score_ingestion": "Reads solves, totals and Flash CTFs from the platform.",
    "game_platform.password_help": "Lets coaches ask the platform to mail a competitor a new password.",
    "game_platform.batch_sync": "Reads scores in batches that each store their own progress. Off: all in one go.",
    "game_platform.prioritization": "Looks at active competitors more often than at idle ones. Off: at all of them "
    "every half hour.",
}


def title_of(name: str) -> str:
    """A switch that another version knows is called by its name."""
    return TITLES.get(name, name)


def does(name: str) -> str:
    return DOES.get(name, "")
