"""Eleven categories and the many labels that vendors give them."""

import functools
import re

CATEGORIES = (
    "Cryptography", "Reconnaissance", "Forensics", "OSINT", "Social", "Web Exploitation", "Operating Systems",
    "Reverse Engineering", "Binary Exploitation", "Miscellaneous", "Other",
)

LABELS = {
    "Cryptography": ("crypto", "cryptographic"),
    "Reconnaissance": ("recon",),
    "Forensics": ("forensic", "digital forensics", "dfir"),
    "OSINT": ("open source intelligence",),
    "Social": ("social engineering", "soceng"),
    "Web Exploitation": ("web", "webex", "webexp", "web exploit", "web security", "webapp", "web application"),
    "Operating Systems": ("os", "operating system", "opsys"),
    "Reverse Engineering": ("rev", "reven", "reversing", "reverse"),
    "Binary Exploitation": ("binexp", "binex", "binary", "pwn"),
    "Miscellaneous": ("misc",),
    "Other": ("", "none", "uncategorized", "unknown"),
}


def _key(label: str) -> str:
    """Case, spaces and punctuation say nothing."""
    return re.sub(r"[\W_]+", "", label.casefold())


KNOWN = {_key(label): category for category, labels in LABELS.items() for label in (category, *labels)}


@functools.lru_cache(maxsize=4096)
def category_of(label: str) -> str:
    """The category that a vendor's label means; an unknown label is shown as itself."""
    return KNOWN.get(_key(label)) or " ".join(label.split())


def is_known(category: str) -> bool:
    return category in CATEGORIES
