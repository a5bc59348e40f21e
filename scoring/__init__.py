"""Scoring: from the events of a finished sitting to points, scales, places and reports.

`snapshot` reads a sitting once from Postgres; `run.compute` scores a snapshot, pure and reproducible;
`report` and `report_pdf` write what people take away; `kept` reads an earlier run back. Everything between is
LazyFrame → LazyFrame, a statistic a function.
"""
