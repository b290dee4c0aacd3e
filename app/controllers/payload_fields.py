"""A kind's payload as the fields of a form: made from its model, read back into what the model checks."""

from dataclasses import dataclass
from typing import Any

from app.queue import JOB_KINDS, JobKind

PREFIX = "payload_"
LABELS = {
    "dry_run": "Dry run", "coach_id": "Only this coach (id)", "competitor_ids": "Only these competitors (ids)",
    "full": "Read everything again", "batch_size": "People at once", "team_id": "Only this team (id)",
}


@dataclass(frozen=True, slots=True)
class PayloadField:
    """`shape` is yes_no, number, list or text."""

    name: str
    label: str
    shape: str
    value: str

    @property
    def form_name(self) -> str:
        return f"{PREFIX}{self.name}"


def schedulable() -> tuple[str, ...]:
    """The kinds that can be done without being told more."""
    return tuple(
        name for name, kind in JOB_KINDS.items()
        if not any(field.is_required() for field in kind.payload.model_fields.values())
    )


def payload_fields(kind: str, payload: dict[str, Any]) -> tuple[PayloadField, ...]:
    """None for a kind that this version does not know."""
    job = JOB_KINDS.get(kind)
    if job is None:
        return ()
    return tuple(
        PayloadField(name, LABELS.get(name, name.replace("_", " ").capitalize()), shape, _text(payload.get(name)))
        for name, shape in _shapes(job).items()
    )


def read_payload(kind: str, form: dict[str, str]) -> dict[str, Any]:
    """What was filled in. What cannot be read as a number stays a text, which the model refuses by its name."""
    job = JOB_KINDS.get(kind)
    if job is None:
        return {}
    values = {name: form.get(f"{PREFIX}{name}", "").strip() for name in _shapes(job)}
    return {name: _value(_shapes(job)[name], text) for name, text in values.items() if text}


def form_names(kind: str) -> tuple[str, ...]:
    return tuple(f"{PREFIX}{name}" for name in _shapes(JOB_KINDS[kind])) if kind in JOB_KINDS else ()


def _shapes(kind: JobKind) -> dict[str, str]:
    properties = kind.payload.model_json_schema().get("properties", {})
    return {name: _shape(schema) for name, schema in properties.items()}


def _shape(schema: dict[str, Any]) -> str:
    types = {schema.get("type"), *(each.get("type") for each in schema.get("anyOf", ()))}
    shapes = {"boolean": "yes_no", "integer": "number", "array": "list"}
    return next((shape for name, shape in shapes.items() if name in types), "text")


def _value(shape: str, text: str) -> Any:
    match shape:
        case "yes_no":
            return text == "yes"
        case "number":
            return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else text
        case "list":
            return text.replace(",", " ").split()
        case _:
            return text


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, list):
        return "\n".join(map(str, value))
    return "" if value is None else str(value)
