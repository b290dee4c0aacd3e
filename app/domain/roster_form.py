"""What a coach types about one competitor, from texts to values."""

from collections.abc import Mapping

from app.domain.roster_file import DIVISIONS, FLAGS, problem_of, tidy

TEXTS = ("first_name", "last_name", "email", "grade", "division", "school_id", "region_id")
REQUIRED = ("first_name", "last_name")
FIELDS = (*TEXTS, *FLAGS)

Values = dict[str, str | bool | None]


def read(form: Mapping[str, str]) -> tuple[Values, dict[str, str]]:
    """The values, and what is wrong with which field. An unticked box is not in a form, which means no."""
    texts = {name: tidy(form.get(name, "")) for name in TEXTS}
    problems = {name: problem for name, text in texts.items() if (problem := _problem(name, text))}
    values: Values = {name: text or (text if name in REQUIRED else None) for name, text in texts.items()}
    return {**values, **{name: form.get(name) == "yes" for name in FLAGS}}, problems


def _problem(name: str, text: str) -> str | None:
    if name in REQUIRED and not text:
        return "This is required."
    if name == "division" and text not in ("", *DIVISIONS):
        return "Choose a division from the list."
    return problem_of(name, text)
