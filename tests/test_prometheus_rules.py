"""The example alert rules can be read, and speak only of numbers that /metrics has."""

import re
from pathlib import Path
from typing import Any

import yaml
from prometheus_client.parser import text_string_to_metric_families

from app.settings import get_settings
from tests.clients import stranger

RULES = Path(__file__).parent.parent / "deploy" / "prometheus-rules.yml"
DOCS = Path(__file__).parent.parent / "docs" / "operating.md"
TOKEN = "a-metrics-token-for-tests"


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


async def names() -> set[str]:
    settings = get_settings().model_copy(update={"metrics_token": TOKEN})
    async with stranger(settings) as client:
        await client.get("/health/live")
        answer = await client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})
    families = list(text_string_to_metric_families(answer.text))
    assert families
    return {family.name for family in families} | {s.name for family in families for s in family.samples}


def test_every_rule_is_whole() -> None:
    found = rules()
    assert len({rule["alert"] for rule in found}) == len(found) > 5
    for rule in found:
        assert set(rule) == {"alert", "expr", "for", "labels", "annotations"}
        assert rule["labels"]["severity"] in ("info", "warning", "critical") and rule["annotations"]["summary"]
        assert re.fullmatch(r"\d+[sm]", rule["for"]) and rule["expr"].count("(") == rule["expr"].count(")")


async def test_rules_and_documentation_speak_of_numbers_that_exist() -> None:
    known = await names()
    for text in (RULES.read_text(), DOCS.read_text()):
        told = set(re.findall(r"\bsideline_[a-z0-9_]+", text))
        assert told and told <= known, told - known
