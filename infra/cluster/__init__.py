"""The form of many machines, on one: Valkey Cluster, Postgres with a standby under Patroni, two of each of ours, HAProxy.

All on loopback, with the settings that separate machines would get (docs/operations/scaling.md): to try a failover before the
day, and for the tests that kill a primary of each kind. Not for a real sitting: one power cord feeds it all.
"""
