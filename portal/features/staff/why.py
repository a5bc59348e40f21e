"""The page «who may what»: a person, a permission, a place, and the answer with its reasons."""

from __future__ import annotations

from datetime import UTC, datetime

from litestar import Response, get

from portal.core import territory
from portal.core.accounts import StaffRequest
from portal.core.accounts.grant_rows import grants_of
from portal.core.db import Connection
from portal.core.permissions import allows, require_country
from portal.core.permissions.catalogue import ALL, BY_CODE
from portal.core.projects import project
from portal.core.ui.listing import words
from portal.core.ui.pages import page
from portal.features.staff import queries
from portal.features.staff.explain import Answer, explain, named


@get("/why", guards=[allows("staff.view")])
async def why(request: StaffRequest, db: Connection) -> Response[str]:
    """Without a person: the form alone."""
    require_country(request.scope["user"], "staff.view")
    login, permission = words(request, "login"), request.query_params.get("permission", "")
    region, school = words(request, "region"), words(request, "school")
    district = request.query_params.get("district", "")
    number = int(district) if district.isascii() and district.isdigit() and len(district) < 10 else None
    place = await territory.spot(db, region=region, district=number, school_code=school)
    person = await queries.person_of(db, login) if login else None
    answer: Answer | None = None
    if person is not None and place is not None and permission in BY_CODE:
        answer = explain(
            await grants_of(db, person.id, over=True),
            permission,
            place,
            shut=person.shut,
            factor=None if person.demo else person.factor,
            project=project(),
            off=await queries.modules_off(db, project()),
            given=await queries.matrix(db),
            at_rest=await queries.at_rest(db),
            now=datetime.now(UTC),
        )
    return page(
        request,
        "staff/why.html",
        login=login,
        permission=permission,
        region=region,
        district=district,
        school=school,
        permissions=ALL,
        by_code=BY_CODE,
        regions=await territory.regions(db),
        districts=await territory.districts(db),
        unknown_person=bool(login) and person is None,
        unknown_place=place is None,
        person=person,
        place=named(place) if place else "",
        answer=answer,
    )


ROUTES = [why]
