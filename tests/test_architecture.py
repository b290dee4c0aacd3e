"""Who may import whom, read from the code itself. A new arrow is a decision: change it here and say why."""

import functools
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
APP = ROOT / "app"

MAY_IMPORT = {
    "controllers": {
        "controllers", "services", "queries", "charts", "domain", "queue", "features", "security", "settings", "tables",
        "web", "errors", "request_log",
    },
    # A watched list tells of the rows that its page shows: the job hands the page's own query to the service.
    "jobs": {
        "jobs", "services", "queries", "integrations", "queue", "features", "database", "settings", "tables", "domain",
        "logs", "alarm_watch",
    },
    "services": {
        "services", "domain", "tables", "database", "features", "queue", "security", "integrations", "settings",
    },
    "queries": {"queries", "tables", "domain", "database"},
    "integrations": {"integrations"},
    "tables": {"tables"},
    "domain": {"domain"},
    "security": {"security", "settings", "database", "tables", "domain"},
    "sandbox": {"sandbox"},
}
THIRD_PARTY = {
    "domain": set(),
    "tables": {"piccolo"},
    "integrations": {"httpx", "pydantic", "pydantic_core", "structlog", "anyio"},
}
SERVICES_MAY_USE_OF_SECURITY = {"audit", "encryption", "passwords", "sessions", "throttling"}


def files_of(layer: str) -> list[Path]:
    return sorted((APP / layer).rglob("*.py"))


IMPORT = re.compile(r"^[ \t]*(?:from ([\w.]+) import (\([^)]*\)|[^\n]+)|import ([\w., ]+))", re.MULTILINE)


@functools.cache
def imports_of(path: Path) -> list[str]:
    """Dotted names; `from app import queue` counts as app.queue."""
    found = []
    for module, names, plain in IMPORT.findall(path.read_text()):
        if module in ("app", "app.security", "app.services"):
            found += [f"{module}.{name}" for name in re.findall(r"(\w+)(?: as \w+)?", names)]
        else:
            found += [module] if module else [name.strip().split(" ")[0] for name in plain.split(",")]
    return found


@pytest.mark.parametrize("layer", MAY_IMPORT)
def test_a_layer_imports_only_what_it_may(layer: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in files_of(layer)
        for name in imports_of(path)
        if name.startswith("app.") and name.split(".")[1] not in MAY_IMPORT[layer]
    ]
    assert wrong == []


@pytest.mark.parametrize("layer", THIRD_PARTY)
def test_a_layer_uses_only_its_own_libraries(layer: str) -> None:
    allowed = THIRD_PARTY[layer] | {"app"} | sys.stdlib_module_names
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in files_of(layer)
        for name in imports_of(path)
        if name.split(".")[0] not in allowed
    ]
    assert wrong == []


def test_services_use_of_security_only_what_writes_need() -> None:
    used = {
        name.split(".")[2]
        for path in files_of("services")
        for name in imports_of(path)
        if name.startswith("app.security.")
    }
    assert used <= SERVICES_MAY_USE_OF_SECURITY


def test_controllers_take_only_enums_and_types_from_the_tables() -> None:
    """A handler that reads or writes a table itself would go round the visibility of the queries."""
    text = "".join(path.read_text() for path in files_of("controllers"))
    assert not re.search(r"\.(select|objects|insert|update|delete)\(\s*\)", text)
    assert "database." not in text


def test_no_page_or_service_knows_a_demo_name() -> None:
    """Without the sandbox everything else must go on; `demo.py` loads whatever league the sandbox tells of."""
    for path in APP.rglob("*.py"):
        if "sandbox" not in path.parts:
            assert not [name for name in imports_of(path) if name.startswith("app.sandbox")] or path.name == "cli.py"


def test_the_locks_carry_hashes_and_no_address() -> None:
    for name in ("requirements.lock", "requirements-test.lock"):
        text = (ROOT / name).read_text()
        pinned = re.findall(r"^[a-z0-9][\w.-]*==", text, re.MULTILINE)
        hashed = re.findall(r"^[a-z0-9][\w.-]*==[^\n]*\\\n    --hash=sha256:", text, re.MULTILINE)
        assert len(pinned) == len(hashed) > 50
        assert "://" not in text
        assert "index-url" not in text


def test_modules_are_not_named_after_nothing() -> None:
    names = {path.stem for path in APP.rglob("*.py")}
    assert names.isdisjoint({"utils", "helpers", "manager", "common", "misc"})
