"""The Game Platform's HTTP as we understand it: every operation, what it takes and what it answers.

Schemas are JSON Schema fragments without titles or descriptions, so that they compare with any other description of
the same contract. A request is refused in the words of the platform's web framework.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

from email_validator import EmailNotValidError, validate_email

Schema = dict[str, Any]
Problem = dict[str, Any]

PREFIX = "/integrations/syned/v1"
TEXT: Schema = {"type": "string"}
FILLED: Schema = {"type": "string", "minLength": 1}
EMAIL: Schema = {"type": "string", "format": "email"}
INTEGER: Schema = {"type": "integer"}
BOOLEAN: Schema = {"type": "boolean"}
ANYTHING: Schema = {}


def one_of(*values: str) -> Schema:
    return {"type": "string", "enum": list(values)}


def nullable(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def many(item: Schema) -> Schema:
    return {"type": "array", "items": item}


def record(required: dict[str, Schema], optional: dict[str, Schema] | None = None) -> Schema:
    return {"type": "object", "properties": required | (optional or {}), "required": list(required)}


DIVISION = one_of("high_school", "middle_school", "college")
USER_STATUS = one_of("user_created", "pending_approval", "approved", "denied")

USER_CREATE = record(
    {"first_name": FILLED, "last_name": FILLED, "email": EMAIL, "role": one_of("coach", "user"),
     "syned_user_id": FILLED},
    {"preferred_username": nullable(TEXT), "syned_school_id": nullable(TEXT), "syned_region_id": nullable(TEXT),
     "syned_coach_user_id": nullable(TEXT)},
)
USER = record(
    {"metactf_user_id": INTEGER, "metactf_username": TEXT, "syned_user_id": TEXT, "metactf_user_status": USER_STATUS},
    {"last_login_unix_timestamp": nullable(INTEGER)},
)
TEAM_CREATE = record(
    {"syned_coach_user_id": FILLED, "syned_team_id": FILLED, "team_name": FILLED, "affiliation": FILLED,
     "division": DIVISION},
)
TEAM = record(
    {"metactf_team_id": INTEGER, "metactf_coach_id": TEXT, "syned_team_id": TEXT, "team_name": TEXT,
     "division": DIVISION, "affiliation": TEXT},
)
ASSIGNMENT = record({"syned_user_id": TEXT}, {"syned_team_id": TEXT})
ASSIGNMENTS = record({"assignments": many(ASSIGNMENT), "total_count": INTEGER})
SOLVE = record(
    {"challenge_solve_id": INTEGER, "challenge_id": INTEGER, "challenge_title": TEXT, "challenge_points": INTEGER,
     "challenge_category": TEXT, "timestamp_unix": INTEGER, "challenge_retired": BOOLEAN,
     "nist_nice_work_roles": many(TEXT)},
)
ODL_SCORES = record(
    {"metactf_user_id": INTEGER, "total_challenges_solved": INTEGER, "total_points": INTEGER,
     "last_accessed_unix_timestamp": INTEGER, "category_points": {"type": "object", "additionalProperties": INTEGER},
     "challenge_solves": many(SOLVE)},
    {"syned_user_id": nullable(TEXT)},
)
FLASH_CTF = record(
    {"flash_ctf_name": TEXT, "flash_ctf_time_start_unix": INTEGER, "challenges_solved": INTEGER,
     "challenge_solves": many(SOLVE), "points_earned": INTEGER, "max_points_possible": INTEGER, "rank": INTEGER},
)
FLASH_CTF_PROGRESS = record({"syned_user_id": TEXT, "flash_ctfs": many(FLASH_CTF)})


@dataclass(frozen=True)
class Operation:
    """`query` and `body` are record schemas; an operation has one of them at most."""

    name: str
    method: str
    path: str
    status: int
    answer: Schema
    query: Schema | None = None
    body: Schema | None = None
    needs_token: bool = True


OPERATIONS = {
    operation.name: operation
    for operation in (
        Operation("index", "GET", "/", 200, ANYTHING, needs_token=False),
        Operation("get_user", "GET", "/users", 201, USER, query=record({"syned_user_id": TEXT})),
        Operation("create_user", "POST", "/users", 201, USER, body=USER_CREATE),
        Operation("create_team", "POST", "/teams", 201, TEAM, body=TEAM_CREATE),
        Operation("delete_team", "POST", "/teams/delete", 200, ANYTHING, body=record({"syned_team_id": TEXT})),
        Operation("assign_team", "POST", "/users/assign_team", 201, ASSIGNMENT,
                  body=record({"syned_team_id": TEXT, "syned_user_id": TEXT})),
        Operation("delete_assignment", "POST", "/users/delete_assignment", 200, ASSIGNMENT,
                  body=record({"syned_user_id": TEXT})),
        Operation("team_assignments", "GET", "/users/get_team_assignments", 200, ASSIGNMENTS,
                  query=record({}, {"syned_team_id": nullable(TEXT)})),
        Operation("odl_scores", "GET", "/scores/get_odl_scores", 200, ODL_SCORES,
                  query=record({"syned_user_id": TEXT}, {"after_time_unix": nullable(INTEGER)})),
        Operation("flash_ctf_progress", "GET", "/scores/get_flash_ctf_progress", 200, FLASH_CTF_PROGRESS,
                  query=record({"syned_user_id": TEXT})),
    )
}

SEND_PASSWORD_MAIL = Operation(
    "send_password_mail", "POST", "/auth/send_password_reset_email", 200, ANYTHING, body=record({"syned_user_id": TEXT})
)
"""Stands in no description of the platform's: not there, unless the one who directs the play switches it on."""

EVERYTHING = OPERATIONS | {SEND_PASSWORD_MAIL.name: SEND_PASSWORD_MAIL}


def operation_at(method: str, path: str) -> Operation | None:
    wanted = (method, path.removeprefix(PREFIX).rstrip("/") or "/")
    return next((found for found in EVERYTHING.values() if (found.method, found.path) == wanted), None)


class Refused(Exception):
    """An answer other than success: its status and what stands under `detail`."""

    def __init__(self, status: int, detail: str | list[Problem]) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


def read_query(schema: Schema, given: dict[str, str]) -> dict[str, Any]:
    return _read_record(schema, given, "query")


def read_body(schema: Schema, content: bytes, content_type: str) -> dict[str, Any]:
    if not content:
        raise Refused(422, [_problem(["body"], "missing", "Field required")])
    given: object = None
    if re.match(r"application/([\w.-]+\+)?json\b", content_type or "application/json"):
        given = _decode(content)
    if not isinstance(given, dict):
        told = "Input should be a valid dictionary or object to extract fields from"
        raise Refused(422, [_problem(["body"], "model_attributes_type", told)])
    return _read_record(schema, given, "body")


def _decode(content: bytes) -> object:
    try:
        return json.loads(content)
    except json.JSONDecodeError as error:
        raise Refused(422, [_problem(["body", error.pos], "json_invalid", "JSON decode error")]) from error
    except (UnicodeDecodeError, RecursionError) as error:
        raise Refused(400, "There was an error parsing the body") from error


def _read_record(schema: Schema, given: dict[str, Any], place: str) -> dict[str, Any]:
    """The known fields of what was given; unknown ones are ignored, as the platform does."""
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for name, field in schema["properties"].items():
        if name in given:
            values[name] = given[name]
            if problem := _check(field, given[name], [place, name]):
                problems.append(problem)
            elif place == "query" and _is_integer(field):
                values[name] = int(given[name])
        elif name in schema["required"]:
            problems.append(_problem([place, name], "missing", "Field required"))
    if problems:
        raise Refused(422, problems)
    return values


def _is_integer(field: Schema) -> bool:
    return bool(field.get("anyOf", [field])[0] == INTEGER)


def _check(field: Schema, value: object, loc: list[str | int]) -> Problem | None:
    if "anyOf" in field:
        return None if value is None else _check(field["anyOf"][0], value, loc)
    if field["type"] == "integer":
        return _check_integer(str(value), loc)
    if not isinstance(value, str):
        return _problem(loc, "string_type", "Input should be a valid string")
    if len(value) < field.get("minLength", 0):
        return _problem(loc, "string_too_short", "String should have at least 1 character")
    if "enum" in field and value not in field["enum"]:
        *others, last = (f"'{allowed}'" for allowed in field["enum"])
        return _problem(loc, "enum", f"Input should be {', '.join(others)} or {last}")
    return _check_email(value, loc) if field.get("format") == "email" else None


def _check_integer(value: str, loc: list[str | int]) -> Problem | None:
    if re.fullmatch(r"\s*[+-]?[0-9]{1,18}\s*", value):
        return None
    told = "Input should be a valid integer, unable to parse string as an integer"
    return _problem(loc, "int_parsing", told)


def _check_email(value: str, loc: list[str | int]) -> Problem | None:
    try:
        validate_email(value, check_deliverability=False)
    except EmailNotValidError as error:
        return _problem(loc, "value_error", f"value is not a valid email address: {error}")
    return None


def _problem(loc: list[str | int], kind: str, message: str) -> Problem:
    return {"loc": loc, "msg": message, "type": kind}
