"""The rooms of the portal: one folder a feature. A feature imports portal.core and no other feature.

They meet in `routes` (what the portal serves), `work` (what the worker does) and `consented` (what a consent feeds).
"""
