"""Search from every page: `/` puts the cursor into it."""

from litestar import get
from litestar.response import Template

from app.domain.leaderboard import DIVISIONS
from app.queries import search as queries
from app.security.policy import coaches
from app.web import AnyRequest, page


@get("/search", guards=[coaches])
async def search(request: AnyRequest) -> Template:
    text = request.query_params.get("q", "").replace("\0", "")[: queries.LONGEST]
    return page(
        request, "search/index.html", fragment="search/_found.html", text=text,
        found=await queries.search(text, request.user), divisions=DIVISIONS, most=queries.MOST,
    )
