"""One spelling per mailbox."""

MAX_EMAIL_CHARACTERS = 254


def canonical_email(typed: str) -> str:
    """How an address is looked up: lower case, no spaces around; empty for what no mailbox can be called."""
    email = typed.strip().lower()
    return email if email.isprintable() and len(email) <= MAX_EMAIL_CHARACTERS else ""
