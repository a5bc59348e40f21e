"""Mean, variance and correlation from exact integer sums.

A sum of floats depends on the order in which threads add; a sum of integers doesn't. Every statistic here is
one float formula over integer sums, so a run gives the same bytes on any number of cores.
"""

from __future__ import annotations

import polars as pl


def hundredths(x: pl.Expr) -> pl.Expr:
    """Divide by 100, correctly rounded, in every row alike.

    A division by a literal becomes a multiplication by its reciprocal in some chunks and not in others
    (485 / 100 gave 4.85 and 4.8500000000000005 in one column), so the divisor is a column too.
    """
    wide = x.cast(pl.Float64)
    return wide / (wide * 0 + 100)


def mean(x: pl.Expr, *, unit: int = 1) -> pl.Expr:
    """Σx / (n · unit), rounded once; x integer without nulls, `unit` of it is 1; null for no rows."""
    return pl.when(pl.len() > 0).then(x.sum().cast(pl.Float64) / (pl.len().cast(pl.Float64) * unit))


def variance(x: pl.Expr, *, ddof: int) -> pl.Expr:
    """(Σx² − (Σx)²/n) / (n − ddof); x integer without nulls; null when n ≤ ddof."""
    n = pl.len().cast(pl.Float64)
    return pl.when(pl.len() > ddof).then(spread(x, x) / (n * (n - ddof)))


def correlation(x: pl.Expr, y: pl.Expr) -> pl.Expr:
    """Pearson's r; x, y integers without nulls; null when either doesn't vary."""
    across, along_x, along_y = spread(x, y), spread(x, x), spread(y, y)
    return pl.when((along_x > 0) & (along_y > 0)).then(across / (along_x.sqrt() * along_y.sqrt()))


def spread(x: pl.Expr, y: pl.Expr) -> pl.Expr:
    """`whole_spread` as f64."""
    return whole_spread(x, y).cast(pl.Float64)


def whole_spread(x: pl.Expr, y: pl.Expr) -> pl.Expr:
    """n·Σxy − Σx·Σy, exact: 128 bits hold 300 000 pupils with 10⁹ hundredths each."""
    wide_x, wide_y = x.cast(pl.Int64), y.cast(pl.Int64)
    n = pl.len().cast(pl.Int128)
    products = (wide_x * wide_y).sum().cast(pl.Int128)
    return n * products - wide_x.sum().cast(pl.Int128) * wide_y.sum().cast(pl.Int128)
