"""Every component with each of its states, beside the lines that make it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from litestar import Request, get
from litestar.response import Template

from app.security.policy import admins
from app.web import TEMPLATES, page


@dataclass(frozen=True)
class Example:
    name: str
    title: str

    @property
    def template(self) -> str:
        return f"components/examples/{self.name}.html"

    @property
    def source(self) -> str:
        return (TEMPLATES / self.template).read_text()


EXAMPLES = (
    Example("header", "Page header"),
    Example("filters", "Filter bar"),
    Example("table", "Data table"),
    Example("table_states", "Empty, loading, error and stale"),
    Example("badges", "Badges"),
    Example("kpis", "KPI cards"),
    Example("figures", "Meter, strip of last runs, sparkline"),
    Example("flashes", "Messages"),
    Example("people", "Person chip"),
    Example("tabs", "Tabs"),
    Example("form", "Form fields"),
    Example("confirm", "Confirm form"),
    Example("diff", "Diff view"),
)


@get("/admin/components", guards=[admins])
async def components(request: Request[Any, Any, Any]) -> Template:
    now = datetime.now(UTC)
    return page(
        request, "admin/components.html", examples=EXAMPLES,
        now=now, recently=now - timedelta(minutes=12), long_ago=now - timedelta(hours=9),
    )
