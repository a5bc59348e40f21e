"""What the portal serves: the routes of every feature."""

from __future__ import annotations

from portal.features.account import contacts, forgotten
from portal.features.account import routes as account
from portal.features.acts import routes as acts
from portal.features.audit import history
from portal.features.audit import routes as audit
from portal.features.consented import FED
from portal.features.consents import age as consent_age
from portal.features.consents import erasures as consent_erasures
from portal.features.consents import texts as consent_texts
from portal.features.files import exports as list_exports
from portal.features.files import routes as files
from portal.features.help import routes as help_pages
from portal.features.home import routes as home
from portal.features.incidents import routes as incidents
from portal.features.kpi import routes as kpi
from portal.features.live import controls
from portal.features.live import routes as live
from portal.features.machines import hooks as machine_hooks
from portal.features.machines import routes as machines
from portal.features.me import routes as me
from portal.features.modules import routes as modules
from portal.features.notices import routes as notices
from portal.features.oauth import authorize, discovery, logout, systems, tokens
from portal.features.participants import imports
from portal.features.participants import routes as participants
from portal.features.persons import cards as person_cards
from portal.features.persons import consents as person_consents
from portal.features.persons import exports as person_exports
from portal.features.persons import fields as person_fields
from portal.features.persons import imports as person_imports
from portal.features.persons import measures as person_measures
from portal.features.persons import numbers as person_numbers
from portal.features.persons import routes as persons
from portal.features.persons import twins as person_twins
from portal.features.photos import routes as photos
from portal.features.places import imports as place_imports
from portal.features.places import routes as places
from portal.features.portfolio import routes as portfolio
from portal.features.post import routes as post
from portal.features.proctoring import acting as proctors_acts
from portal.features.proctoring import appeals as watch_appeals
from portal.features.proctoring import cases as watch_cases
from portal.features.proctoring import child as watched_child
from portal.features.proctoring import fairness as watch_fairness
from portal.features.proctoring import live as proctoring_live
from portal.features.proctoring import papers as watch_papers
from portal.features.proctoring import retention as watch_retention
from portal.features.proctoring import review as watch_review
from portal.features.proctoring import routes as proctoring
from portal.features.proctoring import sealing as watch_sealing
from portal.features.proctoring import weights as watch_weights
from portal.features.registration import codes as class_codes
from portal.features.registration import form as registration_form
from portal.features.registration import own as registered_person
from portal.features.registration import requests as registrations
from portal.features.registration import routes as registration
from portal.features.registration import signing as consent_signing
from portal.features.rescue import routes as rescue
from portal.features.results import routes as results
from portal.features.reviews import routes as reviews
from portal.features.room_codes import routes as room_codes
from portal.features.scim import routes as scim
from portal.features.scores import decisions, downloads, questions, quota
from portal.features.scores import routes as scores
from portal.features.sign_on import linking, providers
from portal.features.sign_on import routes as sign_on
from portal.features.sittings import routes as sittings
from portal.features.slips import routes as slips
from portal.features.staff import routes as staff
from portal.features.talents import access as talent_access
from portal.features.talents import downloads as talent_downloads
from portal.features.talents import matching as talent_matching
from portal.features.talents import routes as talents
from portal.features.talents import ruling as talent_rules
from portal.features.ties import routes as ties
from portal.features.waiver import routes as waiver

__all__ = ["FED", "ROUTES"]
ROUTES = [
    *account.ROUTES,
    *contacts.ROUTES,
    *forgotten.ROUTES,
    *sign_on.ROUTES,
    *linking.ROUTES,
    *providers.ROUTES,
    *discovery.ROUTES,
    *authorize.ROUTES,
    *tokens.ROUTES,
    *logout.ROUTES,
    *systems.ROUTES,
    *notices.ROUTES,
    *files.ROUTES,
    *list_exports.ROUTES,
    *me.ROUTES,
    *home.ROUTES,
    *sittings.ROUTES,
    *participants.ROUTES,
    *imports.ROUTES,
    *persons.ROUTES,
    *person_cards.ROUTES,
    *person_numbers.ROUTES,
    *person_twins.ROUTES,
    *person_fields.ROUTES,
    *person_imports.ROUTES,
    *person_exports.ROUTES,
    *person_measures.ROUTES,
    *person_consents.ROUTES,
    *places.ROUTES,
    *place_imports.ROUTES,
    *photos.ROUTES,
    *portfolio.ROUTES,
    *ties.ROUTES,
    *results.ROUTES,
    *kpi.ROUTES,
    *reviews.ROUTES,
    *consent_age.ROUTES,
    *consent_texts.ROUTES,
    *consent_erasures.ROUTES,
    *registration.ROUTES,
    *registration_form.ROUTES,
    *registered_person.ROUTES,
    *consent_signing.ROUTES,
    *class_codes.ROUTES,
    *registrations.ROUTES,
    *talents.ROUTES,
    *talent_rules.ROUTES,
    *talent_access.ROUTES,
    *talent_matching.ROUTES,
    *talent_downloads.ROUTES,
    *slips.ROUTES,
    *room_codes.ROUTES,
    *live.ROUTES,
    *controls.ROUTES,
    *proctoring.ROUTES,
    *watched_child.ROUTES,
    *proctors_acts.ROUTES,
    *proctoring_live.ROUTES,
    *watch_sealing.ROUTES,
    *watch_review.ROUTES,
    *watch_fairness.ROUTES,
    *watch_weights.ROUTES,
    *watch_cases.ROUTES,
    *watch_papers.ROUTES,
    *watch_appeals.ROUTES,
    *watch_retention.ROUTES,
    *acts.ROUTES,
    *waiver.ROUTES,
    *incidents.ROUTES,
    *scores.ROUTES,
    *downloads.ROUTES,
    *decisions.ROUTES,
    *quota.ROUTES,
    *questions.ROUTES,
    *rescue.ROUTES,
    *post.ROUTES,
    *audit.ROUTES,
    *history.ROUTES,
    *staff.ROUTES,
    *modules.ROUTES,
    *machines.ROUTES,
    *machine_hooks.ROUTES,
    *scim.ROUTES,
    *help_pages.ROUTES,
]
