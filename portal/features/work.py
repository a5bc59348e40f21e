"""What the worker does of the features. Apart from the routes, which it has no use for and would load in vain."""

from __future__ import annotations

from portal.core.consents import erasing
from portal.features.consented import FED
from portal.features.files import exports as list_exports
from portal.features.kpi import routes as kpi
from portal.features.oauth import backchannel
from portal.features.participants import jobs as participant_jobs
from portal.features.participants import linking as participant_linking
from portal.features.persons import exports as person_exports
from portal.features.persons import importing as person_importing
from portal.features.portfolio import checking
from portal.features.proctoring import forgotten, verdict_list
from portal.features.proctoring import papers as watch_papers
from portal.features.proctoring import retention as watch_retention
from portal.features.registration import joining as registration_joining
from portal.features.results import taking
from portal.features.talents import weighing as talent_weighing
from portal.features.ties import attached_list

__all__ = ["DAILY", "FAR_ROUNDS", "FED", "LISTS", "ROUNDS", "WORK"]
WORK = {
    **participant_jobs.WORK,
    **person_importing.WORK,
    **person_exports.WORK,
    **talent_weighing.WORK,
    **list_exports.WORK,
    **kpi.WORK,
    **watch_papers.WORK,
    **erasing.WORK,
}
# Lists that are written as files: each is known to the worker by being named here.
LISTS = [kpi.FILE, verdict_list.FILE, attached_list.FILE]
# What a feature does once a day besides; each only asks for a job, so that none keeps another from its turn.
DAILY = [
    talent_weighing.ask_daily,
    kpi.ask_daily,
    erasing.ask_daily,
    registration_joining.erase_expired,
    participant_linking.link_daily,
    backchannel.erase_old,
    watch_retention.release_daily,
]
# What the worker looks for every other second, beside its queue.
ROUNDS = [forgotten.end_forgotten, checking.check_due, taking.take_published]
# The same, in turns of their own: others' servers, which may let us wait.
FAR_ROUNDS = [backchannel.send_logouts]
