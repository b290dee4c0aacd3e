"""Our description of the Game Platform against the vendor's own, and what it makes of a request."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from app.sandbox.contract import OPERATIONS, PREFIX, USER_CREATE, Refused, read_body, read_query
from tests.sandbox.conftest import STUDENT

FOLDER = os.environ.get("VENDOR_CONTRACTS")


def body_problems(**changes: object) -> list[dict[str, Any]]:
    given = {name: value for name, value in (STUDENT | changes).items() if value != "left out"}
    with pytest.raises(Refused) as refused:
        read_body(USER_CREATE, json.dumps(given).encode(), "application/json")
    assert refused.value.status == 422
    assert isinstance(refused.value.detail, list)
    return refused.value.detail


@pytest.mark.parametrize(
    ("changes", "field", "kind", "message"),
    [
        ({"email": "left out"}, "email", "missing", "Field required"),
        ({"email": "nobody"}, "email", "value_error", "value is not a valid email address: "),
        ({"role": "player"}, "role", "enum", "Input should be 'coach' or 'user'"),
        ({"first_name": ""}, "first_name", "string_too_short", "String should have at least 1 character"),
        ({"last_name": 5}, "last_name", "string_type", "Input should be a valid string"),
        ({"syned_user_id": None}, "syned_user_id", "string_type", "Input should be a valid string"),
    ],
)
def test_a_wrong_field_is_named(changes: dict[str, object], field: str, kind: str, message: str) -> None:
    (problem,) = body_problems(**changes)
    assert set(problem) == {"loc", "msg", "type"}
    assert (problem["loc"], problem["type"]) == (["body", field], kind)
    assert problem["msg"].startswith(message)


def test_every_wrong_field_is_named_at_once() -> None:
    assert [problem["loc"][1] for problem in body_problems(role="x", email="x")] == ["email", "role"]


def test_optional_fields_may_be_null_and_unknown_ones_are_ignored() -> None:
    given = json.dumps(STUDENT | {"preferred_username": None, "division": "college"}).encode()
    assert read_body(USER_CREATE, given, "application/json") == STUDENT | {"preferred_username": None}


@pytest.mark.parametrize(
    ("content", "content_type", "kind"),
    [
        (b"", "application/json", "missing"),
        (b"{", "application/json", "json_invalid"),
        (b"[]", "application/json", "model_attributes_type"),
        (b"{}", "text/plain", "model_attributes_type"),
    ],
)
def test_a_body_that_is_no_json_object_is_refused(content: bytes, content_type: str, kind: str) -> None:
    with pytest.raises(Refused) as refused:
        read_body(USER_CREATE, content, content_type)
    assert isinstance(refused.value.detail, list)
    assert refused.value.detail[0]["type"] == kind


def test_a_number_in_the_query_is_read_as_one() -> None:
    query = OPERATIONS["odl_scores"].query
    assert query
    assert read_query(query, {"syned_user_id": "a", "after_time_unix": "12"})["after_time_unix"] == 12
    for wrong in ("", "1.5", "soon"):
        with pytest.raises(Refused) as refused:
            read_query(query, {"syned_user_id": "a", "after_time_unix": wrong})
        assert isinstance(refused.value.detail, list)
        assert refused.value.detail[0]["loc"] == ["query", "after_time_unix"]


@pytest.mark.skipif(not FOLDER, reason="VENDOR_CONTRACTS does not name the folder of the vendors' documents")
def test_our_description_is_the_vendors() -> None:
    document = json.loads((Path(FOLDER or "") / "metactf_syned_openapi.json").read_text())
    theirs = {
        (method.upper(), path.removeprefix(PREFIX)): _described(document, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    ours = {
        (operation.method, operation.path): {
            "needs_token": operation.needs_token, "status": operation.status, "answer": operation.answer,
            "query": operation.query, "body": operation.body,
        }
        for operation in OPERATIONS.values()
    }
    assert ours == theirs


def _described(document: dict[str, Any], operation: dict[str, Any]) -> dict[str, Any]:
    ((status, success),) = [(s, told) for s, told in operation["responses"].items() if s < "400"]
    parameters = operation.get("parameters")
    body = operation.get("requestBody")
    return {
        "needs_token": bool(operation.get("security")),
        "status": int(status),
        "answer": _plain(document, success["content"]["application/json"]["schema"]),
        "body": _plain(document, body["content"]["application/json"]["schema"]) if body else None,
        "query": {
            "type": "object",
            "properties": {parameter["name"]: _plain(document, parameter["schema"]) for parameter in parameters},
            "required": [parameter["name"] for parameter in parameters if parameter["required"]],
        } if parameters else None,
    }


def _plain(document: dict[str, Any], schema: Any) -> Any:
    """Without references, titles and descriptions."""
    if isinstance(schema, list):
        return [_plain(document, item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _plain(document, document["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    kept = {name: value for name, value in schema.items() if name not in ("title", "description")}
    if "properties" in kept:
        kept["properties"] = {name: _plain(document, value) for name, value in kept["properties"].items()}
    return {name: value if name == "properties" else _plain(document, value) for name, value in kept.items()}
