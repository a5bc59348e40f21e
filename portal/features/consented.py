"""What was given with a consent, feature by feature.

Importing these makes known what each purpose feeds. The portal needs it for what a withdrawal stops, and the worker for
what it erases: a process that does not load this would stop and erase nothing.
"""

from __future__ import annotations

from portal.features.participants import withdrawn as participant_withdrawn
from portal.features.persons import withdrawn as person_withdrawn
from portal.features.proctoring import withdrawn as proctoring_withdrawn
from portal.features.talents import withdrawn as talent_withdrawn

FED = (participant_withdrawn, person_withdrawn, proctoring_withdrawn, talent_withdrawn)
