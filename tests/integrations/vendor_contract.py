"""The vendor's own OpenAPI document, asked whether a request or an answer is what it promises."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
from jsonschema import Draft202012Validator

PREFIX = "/integrations/syned/v1"
Schema = dict[str, Any]


class Contract:
    """`operations_asked` grows with every request that was checked."""

    def __init__(self, document: Schema) -> None:
        self.document = document
        self.operations_asked: set[tuple[str, str]] = set()

    @property
    def operations(self) -> dict[tuple[str, str], Schema]:
        return {
            (method.upper(), path): operation
            for path, methods in self.document["paths"].items()
            for method, operation in methods.items()
        }

    def check(self, schema: Schema, value: object) -> None:
        rooted = {**schema, "components": self.document["components"]}
        Draft202012Validator(rooted, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(value)

    def named(self, name: str, value: object) -> None:
        self.check({"$ref": f"#/components/schemas/{name}"}, value)

    def check_request(self, request: httpx.Request) -> Schema:
        """Asserts method, path, token, query and body; answers the operation."""
        key = (request.method, request.url.path)
        operation = self.operations[key]
        self.operations_asked.add(key)
        assert request.headers["authorization"].startswith("Bearer ")
        self._check_query(operation, request)
        self._check_body(operation, request)
        return operation

    def check_answer(self, operation: Schema, status: int, body: object) -> None:
        """A success has the documented status and shape; a refusal says `detail`, as text or as the 422's list."""
        answer = operation["responses"].get(str(status))
        if answer:
            self.check(answer["content"]["application/json"]["schema"], body)
        else:
            assert status >= 400 and isinstance(body, dict) and isinstance(body["detail"], str), (status, body)

    def _check_query(self, operation: Schema, request: httpx.Request) -> None:
        known = {parameter["name"]: parameter for parameter in operation.get("parameters", ())}
        sent = dict(parse_qsl(request.url.query.decode(), keep_blank_values=True))
        assert set(sent) <= set(known), "a parameter that the vendor does not know"
        assert {name for name, parameter in known.items() if parameter["required"]} <= set(sent)
        for name, value in sent.items():
            self.check(known[name]["schema"], int(value) if name.endswith("_unix") else value)

    def _check_body(self, operation: Schema, request: httpx.Request) -> None:
        if "requestBody" not in operation:
            assert request.content == b""
            return
        body = json.loads(request.content)
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        self.check(schema, body)
        properties = self.document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]["properties"]
        assert set(body) <= set(properties), "a field that the vendor does not know"


def _folder() -> Path:
    folder = os.environ.get("VENDOR_CONTRACTS")
    if not folder:
        pytest.skip("VENDOR_CONTRACTS names no folder with the vendors' documents")
    return Path(folder)


@pytest.fixture
def contract() -> Contract:
    return Contract(json.loads((_folder() / "metactf_syned_openapi.json").read_text()))


@pytest.fixture
def samples() -> Schema:
    return dict(json.loads((_folder() / "metactf_samples.json").read_text()))


def without_prose(schema: object) -> object:
    """A schema for comparison: no titles, no descriptions, `required` in any order."""
    if isinstance(schema, list):
        return [without_prose(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {name: without_prose(value) for name, value in schema.items() if not _is_prose(name, value)}
    required = schema.get("required")
    return kept | {"required": sorted(required)} if isinstance(required, list) else kept


def _is_prose(name: str, value: object) -> bool:
    return name in ("title", "description") and isinstance(value, str)


def resolved(schema: object, document: Schema) -> object:
    """The schema with every reference replaced by what it names."""
    if isinstance(schema, list):
        return [resolved(item, document) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return resolved(document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]], document)
    return {name: resolved(value, document) for name, value in schema.items()}


def query_as_record(operation: Schema) -> Schema | None:
    """The vendor's query parameters as one object schema."""
    parameters = operation.get("parameters")
    if not parameters:
        return None
    return {
        "type": "object",
        "properties": {parameter["name"]: parameter["schema"] for parameter in parameters},
        "required": [parameter["name"] for parameter in parameters if parameter["required"]],
    }


def answers_of(operation: Schema) -> Iterator[tuple[int, Schema]]:
    for status, answer in operation["responses"].items():
        if int(status) < 300:
            yield int(status), answer["content"]["application/json"]["schema"]
