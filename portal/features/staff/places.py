"""Reading a territory from a form: the narrowest that is named counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from portal.core import territory
from portal.core.accounts import Place
from portal.core.i18n import N_

if TYPE_CHECKING:
    from portal.core.db import Connection
    from portal.core.forms import Form


async def read_place(db: Connection, form: Form) -> Place:
    """Region, district, code of a school, class, own pupils; what does not fit is noted in the form."""
    region = form.choice("region", ["", *[item.code for item in await territory.regions(db)]], "")
    district = form.optional_id("district")
    school_code = form.text("school", required=False, most=40)
    class_name = form.text("class_name", required=False, most=10).replace(" ", "").upper()
    own_pupils = form.ticked("own_pupils")
    spot = await territory.spot(db, region=region, district=district, school_code=school_code)
    if spot is None:
        form.miss(
            "school" if school_code else "district",
            N_("There is no school with this code.") if school_code else N_("Please choose one of the list."),
        )
        return Place()
    if class_name and spot.school is None:
        form.miss("class_name", N_("A class belongs to a school: give its code too."))
    if class_name and own_pupils:
        form.miss("own_pupils", N_("Either a class or the own pupils."))
    if spot.school is not None:
        return Place(school=spot.school, class_name=class_name, own_pupils=own_pupils)
    if spot.district is not None:
        return Place(district=spot.district, own_pupils=own_pupils)
    return Place(region=spot.region, own_pupils=own_pupils)
