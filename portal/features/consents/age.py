"""The age from which a person agrees for himself: a law's number, changed by two persons and on record (SAFETY P6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from litestar import Response, post

from portal.core import acts, audit, consents
from portal.core.accounts import StaffRequest
from portal.core.db import Connection
from portal.core.forms import Form
from portal.core.i18n import N_
from portal.core.permissions import allows, require_country
from portal.core.problems import Problem
from portal.core.ui.pages import see_other
from portal.features.consents.texts import texts_page

if TYPE_CHECKING:
    from infra.settings import PortalSettings
    from portal.core.accounts import Actor

EDIT = "consent.text"
# Below fourteen no law of ours lets a child decide alone; above twenty-one nobody is anybody's child.
YOUNGEST, OLDEST = 14, 21
SAME_AGE = N_("It is this age already.")


class AgeMoved(Problem):
    """Two wishes that waited at the same time."""

    code = "consent-age-moved"
    status = 409
    title = N_("The age has been changed meanwhile.")
    advice = N_("Nothing was changed. Refuse this wish, look at the age that holds now, and ask anew if need be.")


@post("/consent-texts/age", guards=[allows(EDIT)])
async def ask(request: StaffRequest, db: Connection) -> Response[str]:
    """Asked by one, done by another: it moves whom the house asks for the children of a whole year."""
    actor, form = request.scope["user"], Form(await request.form())
    require_country(actor, EDIT)
    age, reason = form.integer("age", least=YOUNGEST, most=OLDEST), form.text("reason", most=400)
    async with db.transaction():
        now = await consents.age_of_consent(db)
        if "age" not in form.errors and age == now:
            form.miss("age", SAME_AGE)
        if not form.errors:
            name = N_("Age from which a person agrees alone")
            await acts.ask(
                db,
                actor,
                CHANGE.code,
                sitting_id=None,
                payload={"age": age, "was": now},
                before={name: now},
                after={name: age},
                reason=reason,
            )
    return await texts_page(request, db, form) if form.errors else see_other("/acts?asked=1")


async def _perform(db: Connection, actor: Actor, act: acts.Pending, _settings: PortalSettings) -> None:
    # In turn with another wish; what the second person saw as «before» is what is changed.
    await db.execute("select from setting where name = 'consent_age' for update")
    if await consents.age_of_consent(db) != act.payload["was"]:
        raise AgeMoved
    await db.execute(
        """
        insert into setting (name, value) values ('consent_age', $1)
        on conflict (name) do update set value = excluded.value, changed_at = now()
        """,
        act.payload["age"],
    )
    await audit.record(
        db,
        actor,
        "consent.age.changed",
        kind="consent_text",
        object_id="age",
        before={"age": act.payload["was"]},
        after={"age": act.payload["age"], "asked_by": act.made_by},
        reason=act.reason,
    )


CHANGE = acts.register(
    acts.Act("consent.age", N_("Change the age from which a person agrees alone"), EDIT, _perform, of_house=True)
)
ROUTES = [ask]
