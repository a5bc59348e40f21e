"""In an outage a duty pair waives the second person for half an hour; two others review it afterwards (SAFETY J5)."""
