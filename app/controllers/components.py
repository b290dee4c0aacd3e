"""Every component with each of its states, beside the lines that make it."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from litestar import Request, get
from litestar.response import Template

from app import charts
from app.domain import windows
from app.domain.categories import CATEGORIES
from app.domain.coverage import Cell, Solver
from app.domain.readers import Sight
from app.domain.scopes import Scope
from app.queries.scopes import Choices, Frame
from app.security.policy import admins
from app.web import TEMPLATES, UTC_ZONE, page


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
    Example("scope", "Filter bar of the coach's pages"),
    Example("table", "Data table"),
    Example("table_states", "Empty, loading, error and stale"),
    Example("failed_panel", "Panel that could not be read"),
    Example("badges", "Badges"),
    Example("kpis", "KPI cards"),
    Example("figures", "Meter, strip of last runs, sparkline"),
    Example("charts", "Chart figure"),
    Example("coverage", "Coverage of categories"),
    Example("drawings", "Drawings by the server, category marks"),
    Example("flashes", "Messages"),
    Example("people", "Person chip"),
    Example("tabs", "Tabs"),
    Example("form", "Form fields"),
    Example("confirm", "Confirm form"),
    Example("diff", "Diff view"),
)

FIGURE = charts.lines(
    "example", "Firewall gained 40 points in the last half hour.",
    (charts.Series("Firewall", (0, 30, 60, 90), (0, 20, 60, 100)), charts.Series("Backdoor", (0, 30, 60), (0, 50, 70))),
    across="Minute", upwards="Points", is_stepped=True,
)
DAYS = tuple((date(2026, 9, 1) + timedelta(days=day), day * day % 7) for day in range(90))

CELLS = tuple(
    Cell(category, number, Solver(UUID(int=0), "Ana Ångström", "ana") if number == 1 else None)
    for number, category in enumerate(CATEGORIES[:4])
)
WINDOW = windows.preset("30", date(2026, 11, 30), UTC_ZONE, 8)
FRAME = Frame(
    scope=Scope(division="college"), sight=Sight(), organization_id=UUID(int=0), organization_name="Northern League",
    zone=UTC_ZONE, year_starts_month=8, fresh_for=timedelta(hours=8), today=date(2026, 11, 30),
    now=datetime(2026, 11, 30, 12, tzinfo=UTC),
    window=WINDOW, previous=windows.previous(WINDOW, UTC_ZONE), coach=None, team=None, notices=(),
    choices=Choices((), (), (("1", "Backdoor"), ("2", "Firewall"))),
)


@get("/admin/components", guards=[admins])
async def components(request: Request[Any, Any, Any]) -> Template:
    now = datetime.now(UTC)
    return page(
        request, "admin/components.html", examples=EXAMPLES, figure=FIGURE, days=DAYS, cells=CELLS, frame=FRAME,
        now=now, recently=now - timedelta(minutes=12), long_ago=now - timedelta(hours=9),
    )
