import pytest

from app.settings import SettingsError, load_settings

BAD = [
    ("GAME_PLATFORM_SYNC_BATCH_SIZE", "many", "a whole number from 1 to 1000"),
    ("GAME_PLATFORM_SYNC_BATCH_SIZE", "0", "a whole number from 1 to 1000"),
    ("GAME_PLATFORM_ENABLED", "perhaps", "true or false"),
    ("GAME_PLATFORM_BASE_URL", "http://platform.example.org", "an https address, or http to this machine only"),
    ("GAME_PLATFORM_BASE_URL", "platform", "an https address, or http to this machine only"),
    ("DATABASE_URL", "mysql://x", "a PostgreSQL address such as postgresql://user@host/name"),
    ("BASE_URL", "ftp://x", "the address of the site, http:// or https://"),
    ("BASE_URL", "http://x:99999", "the address of the site, http:// or https://"),
    ("ALLOWED_HOSTS", "sideline.example.org, https://x", "host names without scheme and port"),
    ("ALLOWED_HOSTS", "sideline.example.org:8000", "host names without scheme and port"),
    ("JOB_QUEUE_RUNNER_SECRET", "short", "one secret, or two"),
    ("JOB_QUEUE_RUNNER_SECRET", ",".join(["a-secret-that-is-long"] * 3), "one secret, or two"),
    ("ENCRYPTION_KEYS", "not-a-key", "base64 keys of 32 bytes"),
    ("TRUSTED_PROXIES", "a proxy", "IP addresses or networks"),
    ("LOG_LEVEL", "LOUD", "DEBUG, INFO, WARNING or ERROR"),
    ("SMTP_URL", "http://mail", "smtp://"),
    ("SMTP_URL", "smtp://user:word@mail:port", "smtp://"),
    ("QUEUE_URL", "amqp://x", "redis://"),
    ("SECRET_KEY", "short", "at least 32 random characters"),
]


@pytest.mark.parametrize(("name", "value", "advice"), BAD)
def test_a_bad_value_is_refused_with_the_variable_and_what_it_should_be(
    name: str, value: str, advice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert str(refused.value).startswith(f"{name} should be {advice}")


def test_the_refusal_never_repeats_the_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "hunter2")
    with pytest.raises(SettingsError) as refused:
        load_settings()
    assert "hunter2" not in str(refused.value)


def test_debug_logs_are_refused_in_production(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BASE_URL", "https://sideline.example.org")
    monkeypatch.setenv("LOG_LEVEL", "DEBUG")
    with pytest.raises(SettingsError, match="LOG_LEVEL should not be DEBUG"):
        load_settings()


def test_an_empty_variable_means_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAME_PLATFORM_SYNC_BATCH_SIZE", "")
    assert load_settings().game_platform_sync_batch_size == 50


def test_hosts_are_those_of_the_address_and_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BASE_URL", "https://Sideline.example.org/")
    assert load_settings().hosts == {"sideline.example.org", "localhost", "127.0.0.1"}


def test_a_vendor_counts_as_configured_as_soon_as_one_of_its_variables_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not load_settings().any_vendor_configured
    monkeypatch.setenv("GAME_PLATFORM_API_TOKEN", "a-token")
    assert load_settings().any_vendor_configured
