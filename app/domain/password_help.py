"""What came of asking the Game Platform for a password mail, and the words for it."""

NOT_OFFERED = "The Game Platform does not offer this."
SENT = "The Game Platform sent a mail to set a new password."
UNCERTAIN = "The Game Platform broke off its answer. The mail may be on its way; look for it before asking again."
NOT_THERE = (404, 405)
ABOUT_THE_PERSON = "not found or not approved"


def is_not_offered(status: int | None, words: str) -> bool:
    """404 and 405 speak of the request itself, unless the platform says that they are about the person."""
    return status in NOT_THERE and ABOUT_THE_PERSON not in words.lower()
