"""Reading a form: its text fields by name, and nothing that was not asked for."""

from app.web import AnyRequest


async def text_fields(request: AnyRequest, *names: str) -> dict[str, str]:
    """Each name's first text; empty where it is missing or a file."""
    form = await request.form()
    values = {name: form.get(name) for name in names}
    return {name: value if isinstance(value, str) else "" for name, value in values.items()}
