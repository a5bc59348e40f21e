"""Every permission of the portal with its text; each route names one of them, or says that it is public."""

from __future__ import annotations

import msgspec

from portal.core.i18n import N_


class Permission(msgspec.Struct, frozen=True):
    """What may be done; `text` completes the sentence «may …»."""

    code: str
    group: str
    text: str


SITTINGS, PEOPLE, REGISTRY, TALENTS, LIVE, RESULTS, HOUSE = (
    N_("Sittings"),
    N_("Pupils"),
    N_("Registry"),
    N_("Talents"),
    N_("During the sitting"),
    N_("Results"),
    N_("The house"),
)

ALL: tuple[Permission, ...] = (
    Permission("sitting.view", SITTINGS, N_("See sittings and tests")),
    Permission("sitting.edit", SITTINGS, N_("Make a sitting and change its draft")),
    Permission("sitting.publish", SITTINGS, N_("Publish a sitting")),
    Permission("sitting.close", SITTINGS, N_("Close a sitting")),
    Permission("participant.view", PEOPLE, N_("See pupils of a sitting")),
    Permission("participant.import", PEOPLE, N_("Import pupils and undo an import")),
    Permission("participant.lock", PEOPLE, N_("Lock and unlock a sign-in code")),
    Permission("participant.export", PEOPLE, N_("Download lists of pupils")),
    Permission("slip.print", PEOPLE, N_("Print sign-in slips (makes new codes)")),
    Permission("person.view", REGISTRY, N_("See persons of the registry")),
    Permission("person.edit", REGISTRY, N_("Add persons and change their data")),
    Permission("person.import", REGISTRY, N_("Import persons")),
    Permission("person.export", REGISTRY, N_("Download lists of persons")),
    Permission("person.merge", REGISTRY, N_("Decide about duplicates, merge and undo")),
    Permission("person.iin", REGISTRY, N_("Find a person by a whole IIN and see it in full, with a reason")),
    Permission("portfolio.view", REGISTRY, N_("See portfolios: scanned diplomas and certificates")),
    Permission("portfolio.confirm", REGISTRY, N_("Say that the original of a document was seen")),
    Permission("tie.view", REGISTRY, N_("See who is attached to whom")),
    Permission("tie.edit", REGISTRY, N_("Attach persons to a teacher, tutor or parent, and end it")),
    Permission("tie.contact", REGISTRY, N_("See contacts of a child's teachers and parents")),
    Permission("tie.export", REGISTRY, N_("Download lists of attached persons")),
    Permission("person.results", REGISTRY, N_("See a person's published results")),
    Permission("person.work", REGISTRY, N_("See which tests a person made and held")),
    Permission("kpi.view", REGISTRY, N_("See KPI logs")),
    Permission("kpi.edit", REGISTRY, N_("Enter and import rows of KPI logs")),
    Permission("kpi.export", REGISTRY, N_("Download KPI logs")),
    Permission("review.view", REGISTRY, N_("See approved reviews of persons")),
    Permission("review.moderate", REGISTRY, N_("Approve and refuse reviews")),
    Permission("consent.edit", REGISTRY, N_("Record and withdraw consents")),
    Permission("consent.text", REGISTRY, N_("Publish a new version of the texts of consents")),
    Permission("consent.erase", REGISTRY, N_("See what withdrawn consents fed and is to be erased, and hold it")),
    Permission("registration.confirm", REGISTRY, N_("Make a class's code and confirm who registers in a class")),
    Permission("attribute.edit", REGISTRY, N_("Change what a project knows of a person")),
    Permission("place.view", REGISTRY, N_("See the territory, schools and centres")),
    Permission("place.edit", REGISTRY, N_("Add and change settlements, schools and centres")),
    Permission("talent.view", TALENTS, N_("Ask for access to the talents, and see them once a second person agreed")),
    Permission("talent.export", TALENTS, N_("Download lists of talents, with access")),
    Permission("talent.match", TALENTS, N_("Say which person a result belongs to, with access")),
    Permission("talent.rule", TALENTS, N_("Make rules of the talents and agree to another's")),
    Permission("talent.grant", TALENTS, N_("Agree to and end access to the talents")),
    Permission("room.code", LIVE, N_("See the codes of rooms after the start")),
    Permission("live.view", LIVE, N_("Watch a sitting live")),
    Permission("watch.view", LIVE, N_("Look at the children in one's hands on the proctors' wall")),
    Permission("watch.act", LIVE, N_("Warn and pause a child in one's hands, and call its school")),
    Permission("watch.judge", LIVE, N_("Say a verdict with a reason")),
    Permission("watch.review", LIVE, N_("Review a sitting: second opinions, cases, their papers and lists")),
    Permission("watch.appeal", LIVE, N_("Write down and decide appeals against a verdict")),
    Permission("watch.erase", LIVE, N_("See how long pictures are kept, ask for and agree to erasing a child's")),
    Permission("watch.safety", LIVE, N_("Decide about pictures that should not be seen, as the child-safety officer")),
    Permission("control.message", LIVE, N_("Send messages and errata")),
    Permission("control.time", LIVE, N_("Give extra time, pause and resume")),
    Permission("control.end", LIVE, N_("End attempts and take back a hand-in")),
    Permission("act.decide", LIVE, N_("Be the second person of an act")),
    Permission("act.waive", LIVE, N_("Waive the second person in an outage, and review what was done")),
    Permission("receipt.check", LIVE, N_("Check a receipt")),
    Permission("rescue.take", LIVE, N_("Take in a rescue file")),
    Permission("score.view", RESULTS, N_("See results after the end")),
    Permission("score.run", RESULTS, N_("Run scoring")),
    Permission("score.decide", RESULTS, N_("Decide on quota places, late answers, exclusions and keys")),
    Permission("score.publish", RESULTS, N_("Publish results")),
    Permission("score.export", RESULTS, N_("Download results")),
    Permission("incident.write", HOUSE, N_("Tell the public of incidents on the status page")),
    Permission("post.view", HOUSE, N_("See the outbox of mail and SMS")),
    Permission("post.resend", HOUSE, N_("Send a letter of the outbox again")),
    Permission("audit.view", HOUSE, N_("Read the audit trail")),
    Permission("staff.view", HOUSE, N_("See staff and roles")),
    Permission("staff.edit", HOUSE, N_("Give and take roles, make logins")),
    Permission("role.edit", HOUSE, N_("Change what a role may do")),
    Permission("role.see-as", HOUSE, N_("See the house as another role, without changing anything")),
    Permission("module.edit", HOUSE, N_("Switch modules of a project on and off")),
    Permission("machine.view", HOUSE, N_("See the systems that are joined to ours")),
    Permission("machine.edit", HOUSE, N_("Join systems, stop them and let them go on")),
    Permission("signon.edit", HOUSE, N_("Join providers of sign-in and other systems")),
    Permission("account.password-alone", HOUSE, N_("Sign in with a password alone, without app code or security key")),
    Permission("own.account", HOUSE, N_("Use the own account")),
)
CODES = frozenset(permission.code for permission in ALL)
BY_CODE = {permission.code: permission for permission in ALL}

# Of the registry, what is about persons: a role that teaches has it for a class and own pupils alone (SAFETY P1).
OF_PERSONS = frozenset(
    permission.code
    for permission in ALL
    if (permission.group == REGISTRY or permission.code == "participant.view")
    and permission.code not in {"place.view", "place.edit", "attribute.edit", "consent.text"}
)

# Every signed-in person has these, whatever his role.
EVERYBODY = frozenset({"own.account"})
# No route names it: a grant whose role lacks it asks for a second factor (SAFETY P3; docs/decisions/0048).
PASSWORD_ALONE = "account.password-alone"  # noqa: S105 (a permission, no password)
