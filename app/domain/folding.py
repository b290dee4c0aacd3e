"""How names are compared: without case and marks, so that "jose" finds "José". The same function folds both sides."""

import unicodedata

VERSION = 1
AFTER_ALL = "\U0010ffff"
LONGEST_KEY = 200
MOST_WORDS = 40
LONGEST_WORD = 80


def fold(text: str) -> str:
    """The text without case, marks and surplus spaces."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return " ".join(unicodedata.normalize("NFKC", bare).casefold().replace("\0", " ").split())


def sort_key(*texts: str) -> str:
    return " ".join(filter(None, map(fold, texts)))[:LONGEST_KEY]


def words(*texts: str) -> list[str]:
    """Every word once, in order: runs of letters, digits and marks that stay after folding."""
    folded = fold(" ".join(texts))
    split = "".join(letter if _belongs_to_a_word(letter) else " " for letter in folded).split()
    return list(dict.fromkeys(word[:LONGEST_WORD] for word in split))[:MOST_WORDS]


def _belongs_to_a_word(letter: str) -> bool:
    return letter.isalnum() or unicodedata.category(letter).startswith("M")
