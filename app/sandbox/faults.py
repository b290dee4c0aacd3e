"""How the platform is told to fail: rules, and which of them a call meets."""

import random
from copy import deepcopy
from typing import Annotated, Any, Literal

import msgspec

from app.sandbox.contract import EVERYTHING

Kind = Literal[
    "rate_limited", "server_error", "refused", "hang", "reset", "malformed", "poison", "latency"
]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=86_400)]
Count = Annotated[int, msgspec.Meta(ge=1)]
FailureStatus = Annotated[int, msgspec.Meta(ge=400, le=599)]

POISON_SOLVE_ID = 999_999_001
FAR_FUTURE = 32_503_680_000
TORN_JSON = b'{"syned_user_id": "'
HTML_PAGE = b"<!doctype html><title>Maintenance</title><h1>We will be right back</h1>"


class BadRule(ValueError):
    """A rule that cannot be followed."""


class Rule(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """One way to fail. `after_effect`: what was asked is done first, and only the answer goes wrong.

    `status`: of server_error (503 if left out) and of refused (400 if left out), which says `detail`.
    variant: of malformed `torn` or `html`; of poison `missing_field`, `wrong_type`, `nul` or `far_future`.
    """

    kind: Kind
    operation: str = "*"
    share: Share = 1
    count: Count | None = None
    users: list[str] | None = None
    seconds: Seconds = 1
    status: FailureStatus | None = None
    detail: str = "Refused by the platform"
    retry_after: str | int | None = None
    after_effect: bool = False
    variant: Literal["torn", "html", "missing_field", "wrong_type", "nul", "far_future"] | None = None

    def __post_init__(self) -> None:
        if self.operation != "*" and self.operation not in EVERYTHING:
            raise BadRule(f"operation should be * or one of {', '.join(EVERYTHING)}")

    def concerns(self, operation: str, syned_user_id: str | None) -> bool:
        return self.operation in ("*", operation) and (self.users is None or syned_user_id in self.users)


class Faults:
    """The rules in force. Chance is seeded, so that the same calls meet the same faults."""

    def __init__(self, seed: int) -> None:
        self.rules: list[Rule] = []
        self._random = random.Random(seed)  # noqa: S311

    def add(self, rules: list[Rule]) -> None:
        self.rules += rules

    def clear(self) -> None:
        self.rules = []

    def take(self, operation: str, syned_user_id: str | None) -> list[Rule]:
        """The rules that this call meets: any latency, and at most one other fault."""
        met: list[Rule] = []
        for rule in list(self.rules):
            is_second = rule.kind != "latency" and any(other.kind != "latency" for other in met)
            if is_second or not rule.concerns(operation, syned_user_id) or self._random.random() >= rule.share:
                continue
            met.append(rule)
            self._count_down(rule)
        return met

    def _count_down(self, rule: Rule) -> None:
        if rule.count == 1:
            self.rules.remove(rule)
        elif rule.count is not None:
            rule.count -= 1


def poisoned(body: Any, variant: str | None) -> Any:
    """The same answer with one bad record more among the good ones; an answer without a list is itself spoilt."""
    body = deepcopy(body)
    if "challenge_solves" in body:
        body["challenge_solves"].insert(len(body["challenge_solves"]) // 2, _bad_solve(variant))
    elif body.get("flash_ctfs"):
        body["flash_ctfs"][0]["challenge_solves"].insert(0, _bad_solve(variant))
    elif "flash_ctfs" in body:
        body["flash_ctfs"].append({"flash_ctf_name": "Unnamed"})
    elif "assignments" in body:
        body["assignments"].insert(0, {"syned_team_id": 7})
    else:
        body.pop(next(iter(body)))
    return body


def _bad_solve(variant: str | None) -> dict[str, Any]:
    solve: dict[str, Any] = {
        "challenge_solve_id": POISON_SOLVE_ID, "challenge_id": 13, "challenge_title": "Poisoned Apple",
        "challenge_points": 100, "challenge_category": "Miscellaneous", "timestamp_unix": 1_767_220_000,
        "challenge_retired": False, "nist_nice_work_roles": [],
    }
    match variant:
        case "wrong_type":
            solve["timestamp_unix"] = "yesterday"
        case "nul":
            solve["challenge_title"] = "Poisoned\x00Apple"
        case "far_future":
            solve["timestamp_unix"] = FAR_FUTURE
        case _:
            del solve["challenge_points"]
    return solve
