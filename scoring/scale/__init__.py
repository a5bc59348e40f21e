"""Scales: each is LazyFrame → LazyFrame over scores with form_id, centi and max_centi (raw.raw_scores)."""

from scoring.scale.linear import linear, percent_right
from scoring.scale.normed import percentile_rank, stanine, t_score, z_score

__all__ = ["linear", "percent_right", "percentile_rank", "stanine", "t_score", "z_score"]
