"""Secrets that we must read again, kept encrypted. The first of ENCRYPTION_KEYS writes, all of them read.

`context` says which field of which row a ciphertext belongs to ("users.totp_secret:<id>"). It is authenticated, so a
ciphertext copied to another row or column cannot be read there.
"""

import base64
import functools
import hashlib
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.settings import get_settings

NONCE_BYTES = 12
KEY_NAME_CHARACTERS = 8


class DecryptionError(Exception):
    """Not readable with the configured keys, damaged, or moved here from another row."""


def encrypt(plain: str, *, context: str) -> str:
    name, cipher = next(iter(_ciphers(_keys()).items()))
    nonce = secrets.token_bytes(NONCE_BYTES)
    sealed = cipher.encrypt(nonce, plain.encode(), context.encode())
    return f"{name}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"


def decrypt(token: str, *, context: str) -> str:
    name, _, encoded = token.partition(".")
    cipher = _ciphers(_keys()).get(name)
    if cipher is None:
        raise DecryptionError("Encrypted with a key that ENCRYPTION_KEYS does not hold.")
    try:
        raw = base64.urlsafe_b64decode(encoded)
        return cipher.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], context.encode()).decode()
    except (InvalidTag, ValueError):
        raise DecryptionError("Damaged, or moved here from another row.") from None


def _keys() -> tuple[str, ...]:
    keys = get_settings().encryption_keys
    if not keys:
        raise RuntimeError("ENCRYPTION_KEYS is not set.")
    return keys


@functools.lru_cache(maxsize=4)
def _ciphers(keys: tuple[str, ...]) -> dict[str, AESGCM]:
    raw_keys = [base64.urlsafe_b64decode(key) for key in keys]
    return {hashlib.sha256(key).hexdigest()[:KEY_NAME_CHARACTERS]: AESGCM(key) for key in raw_keys}
