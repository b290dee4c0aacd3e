import pytest

from app.domain.categories import CATEGORIES, category_of, is_known


@pytest.mark.parametrize("category", CATEGORIES)
def test_a_category_is_itself_however_it_is_written(category: str) -> None:
    assert category_of(category) == category
    assert category_of(f"  {category.upper().replace(' ', '_')}! ") == category
    assert category_of(category.replace(" ", "-").lower()) == category


@pytest.mark.parametrize(
    ("label", "category"),
    [
        ("crypto", "Cryptography"), ("Recon", "Reconnaissance"), ("Webex", "Web Exploitation"),
        ("reven", "Reverse Engineering"), ("binexp", "Binary Exploitation"), ("os", "Operating Systems"),
        ("misc", "Miscellaneous"), ("O.S.", "Operating Systems"), ("", "Other"),
    ],
)
def test_the_labels_that_vendors_send_are_understood(label: str, category: str) -> None:
    assert category_of(label) == category


def test_an_unknown_label_is_shown_as_itself() -> None:
    assert category_of(" Quantum   Things ") == "Quantum Things"
    assert not is_known(category_of("Quantum Things"))
    assert is_known("OSINT")
