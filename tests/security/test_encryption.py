import base64
import secrets

import pytest

from app.security.encryption import DecryptionError, decrypt, encrypt
from app.settings import get_settings


def new_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def use_keys(environment: pytest.MonkeyPatch, *keys: str) -> None:
    environment.setenv("ENCRYPTION_KEYS", ",".join(keys))
    get_settings.cache_clear()


@pytest.mark.parametrize("plain", ["", "JBSWY3DPEHPK3PXP", "grün ☃", "x" * 10_000])
def test_what_was_encrypted_can_be_read_at_its_place(plain: str) -> None:
    token = encrypt(plain, context="users.totp_secret:1")
    assert not plain or plain not in token
    assert decrypt(token, context="users.totp_secret:1") == plain


def test_the_same_text_never_looks_the_same() -> None:
    assert encrypt("same", context="a") != encrypt("same", context="a")


def test_moved_to_another_row_it_cannot_be_read() -> None:
    token = encrypt("secret", context="users.totp_secret:1")
    with pytest.raises(DecryptionError):
        decrypt(token, context="users.totp_secret:2")


@pytest.mark.parametrize("broken", ["", ".", "x", "00000000.AAAA", "å.ß"])
def test_what_is_no_ciphertext_is_refused(broken: str) -> None:
    with pytest.raises(DecryptionError):
        decrypt(broken, context="a")


def test_a_changed_or_cut_ciphertext_is_refused() -> None:
    token = encrypt("secret", context="a")
    name, _, encoded = token.partition(".")
    raw = bytearray(base64.urlsafe_b64decode(encoded))
    raw[-1] ^= 1
    for changed in (base64.urlsafe_b64encode(raw).decode(), encoded[:8], "", "AAAA", encoded[1:]):
        with pytest.raises(DecryptionError):
            decrypt(f"{name}.{changed}", context="a")


def test_the_first_key_writes_and_all_read(settings_changed: pytest.MonkeyPatch) -> None:
    old, new = new_key(), new_key()
    use_keys(settings_changed, old)
    written_before = encrypt("secret", context="a")
    use_keys(settings_changed, new, old)
    written_after = encrypt("secret", context="a")
    assert decrypt(written_before, context="a") == decrypt(written_after, context="a") == "secret"
    use_keys(settings_changed, new)
    assert decrypt(written_after, context="a") == "secret"
    with pytest.raises(DecryptionError):
        decrypt(written_before, context="a")


def test_without_keys_nothing_is_written(settings_changed: pytest.MonkeyPatch) -> None:
    settings_changed.delenv("ENCRYPTION_KEYS")
    get_settings.cache_clear()
    with pytest.raises(RuntimeError, match="ENCRYPTION_KEYS"):
        encrypt("secret", context="a")
