import pytest

from app.domain.emails import canonical_email


@pytest.mark.parametrize(
    ("typed", "canonical"),
    [
        (" Ada.Alder@Example.org\n", "ada.alder@example.org"),
        ("ada\0@example.org", ""),
        ("ada\r\nBcc: eve@example.org", ""),
        ("a" * 255, ""),
        ("", ""),
    ],
)
def test_one_mailbox_has_one_spelling(typed: str, canonical: str) -> None:
    assert canonical_email(typed) == canonical
