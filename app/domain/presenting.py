"""What stands for a competitor's name and mail while somebody presents: many competitors are minors, and a projector
shows a page to people who may not know who is who."""

from app.domain.readers import Reader

WITHOUT_HANDLE = "Competitor"
HIDDEN_MAIL = "hidden while presenting"


def shown_name(reader: Reader | None, name: str, handle: str = "") -> str:
    """The name, or while presenting the handle."""
    return (handle or WITHOUT_HANDLE) if reader is None or reader.is_presenting else name


def shown_mail(reader: Reader | None, email: str | None) -> str:
    return HIDDEN_MAIL if email and (reader is None or reader.is_presenting) else email or ""
