"""Places in the country and the region, and the quota list. The rule for ties is printed with every list.

The rule: more points come first; between equal points, more points on the hardest third of the items (those
that the fewest of all points were earned on in this sitting); who is equal in both shares the place, and the
next place counts them all: 1, 2, 2, 4.
"""

from __future__ import annotations

import polars as pl

from scoring.structs import TieAtLine


def hardest_items(item_table: pl.LazyFrame, share: float) -> pl.LazyFrame:
    """The items whose points break ties.

    In      classical.item_statistics; share of the items, 0…1.
    Out     form_id, item: the ⌈share · k⌉ items of each form with the lowest facility; equal facility: the
            later one in the test counts as harder, so that the choice never depends on the order of rows.
    """
    wanted = (pl.len() * share).ceil().over("form_id")
    place = pl.struct("facility", -pl.col("position").cast(pl.Int32), "item").rank("ordinal").over("form_id")
    return item_table.filter(place <= wanted).select("form_id", "item").sort("form_id", "item")


def hard_points(cells: pl.LazyFrame, hardest: pl.LazyFrame) -> pl.LazyFrame:
    """Points on the hardest items: attempt_id, hard_centi i64; an attempt whose form has none is absent."""
    return (
        cells.join(hardest, on=["form_id", "item"], how="semi")
        .group_by("attempt_id")
        .agg(hard_centi=pl.col("centi").sum())
        .sort("attempt_id")
    )


def ranked(scores: pl.LazyFrame) -> pl.LazyFrame:
    """Add places in the country and in the region.

    In      a row a scored attempt: attempt_id, region_code, equated_centi i64 (scoring/equate.py), hard_centi i64.
    Out     the same rows, best first: rank_nation, rank_region u32 (competition ranks: 1 + how many are
            strictly better), tied_nation, tied_region u32 (how many share the place, 1 for nobody else).
    Ties    by the rule above; rows that share a place stand in order of attempt_id, which is no order of
            merit.
    """
    # hard_centi, centi < 2³¹: one number orders by both.
    merit = pl.col("equated_centi") * 2**31 + pl.col("hard_centi")
    return (
        scores.with_columns(merit=merit)
        .with_columns(
            rank_nation=pl.col("merit").rank("min", descending=True).cast(pl.UInt32),
            rank_region=pl.col("merit").rank("min", descending=True).over("region_code").cast(pl.UInt32),
            tied_nation=pl.len().over("merit").cast(pl.UInt32),
            tied_region=pl.len().over("region_code", "merit").cast(pl.UInt32),
        )
        .drop("merit")
        .sort("rank_nation", "attempt_id")
    )


def quota_list(ranking: pl.LazyFrame, places: dict[str, int], ties: TieAtLine) -> pl.LazyFrame:
    """Who gets a quota place: the first `places[region]` of each region.

    In      ranked; places a region code (a region that isn't named gets none).
    Out     the chosen rows, by region and place, with places u32 and at_line bool (shares the place at the
            line).
    Ties    where more share the last place than there are places left, all of them are listed (`all`: the
            list is longer than the quota) or none of them (`none`: it is shorter, and the places are given by
            a person).
    """
    line = pl.col("region_code").replace_strict(places, default=0, return_dtype=pl.UInt32)
    last_shared = pl.col("rank_region") + pl.col("tied_region") - 1
    rows = ranking.with_columns(places=line).filter(pl.col("rank_region") <= pl.col("places"))
    rows = rows.with_columns(at_line=last_shared > pl.col("places"))
    if ties is TieAtLine.NONE:
        rows = rows.filter(~pl.col("at_line"))
    return rows.sort("region_code", "rank_region", "attempt_id")
