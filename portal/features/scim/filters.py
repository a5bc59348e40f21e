"""A filter of SCIM as a condition of SQL: names become columns of `logins`, values become parameters."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from scim2_models import InvalidFilterException
from scim2_models.path.expressions import CompareOperator, LogicalOperator
from scim2_models.path.visitor import FilterVisitor

if TYPE_CHECKING:
    from scim2_models.path.expressions import AttrPath, Comparison, LogicalExpr, Not, Present, ValuePath

# Attribute → column; of texts those that the standard compares as written are left so.
TEXTS = {
    "username": "login",
    "displayname": "display",
    "name.familyname": "family",
    "name.givenname": "given",
    "name.middlename": "middle",
    "preferredlanguage": "language",
}
EXACT = {"id": "public_id", "externalid": "external_id", "schoolcode": "school_code"}
MOMENTS = {"meta.created": "created_at", "meta.lastmodified": "changed_at"}
SORTS = {**TEXTS, **EXACT, **MOMENTS, "active": "active"}
SIGNS = {
    CompareOperator.eq: "=",
    CompareOperator.ne: "<>",
    CompareOperator.gt: ">",
    CompareOperator.ge: ">=",
    CompareOperator.lt: "<",
    CompareOperator.le: "<=",
}
# A filter of many parts is a statement that nobody planned for.
MOST_PARTS = 30


class Sql(FilterVisitor[str]):
    """Collects parameters while it walks; the first is $`first`."""

    def __init__(self, first: int) -> None:
        self.first = first
        self.given: list[object] = []
        self.parts = 0

    def visit_comparison(self, node: Comparison) -> str:
        """`name operator value`."""
        name, op, value = self._part(node.attr_path), node.op, node.value
        if name == "active" and isinstance(value, bool) and op in {CompareOperator.eq, CompareOperator.ne}:
            return f"active {SIGNS[op]} {self._place(value)}"
        if (
            name in {"roles", "roles.value"}
            and isinstance(value, str)
            and op in {CompareOperator.eq, CompareOperator.ne}
        ):
            return f"{'not ' if op is CompareOperator.ne else ''}{self._place(value)} = any (roles)"
        if name in MOMENTS and op in SIGNS:
            return f"{MOMENTS[name]} {SIGNS[op]} {self._place(_moment(value))}::timestamptz"
        if name in TEXTS | EXACT and isinstance(value, str):
            column = f"lower({TEXTS[name]})" if name in TEXTS else EXACT[name]
            return self._text(f"coalesce({column}, '')", op, value.lower() if name in TEXTS else value)
        raise InvalidFilterException(detail=f"No filter by «{node.attr_path}» in this way.")

    def visit_present(self, node: Present) -> str:
        """`name pr`."""
        name = self._part(node.attr_path)
        if name in TEXTS | EXACT:
            return f"coalesce({(TEXTS | EXACT)[name]}, '') <> ''"
        if name in {"roles", "roles.value"}:
            return "cardinality(roles) > 0"
        if name in MOMENTS or name in {"active", "name", "meta"}:
            return "true"
        raise InvalidFilterException(detail=f"No filter by «{node.attr_path}» in this way.")

    def visit_not(self, node: Not) -> str:
        """`not (…)`."""
        return f"not ({self.visit(node.expr)})"

    def visit_logical_expr(self, node: LogicalExpr) -> str:
        """`… and …`, `… or …`."""
        word = " and " if node.op == LogicalOperator.and_ else " or "
        return "(" + word.join(self.visit(term) for term in node.terms) + ")"

    def visit_value_path(self, node: ValuePath) -> str:
        """`roles[…]`: what we keep of a role is its value."""
        raise InvalidFilterException(detail=f"No filter within «{node.attr_path}»; use «roles.value».")

    def _part(self, path: AttrPath) -> str:
        self.parts += 1
        if self.parts > MOST_PARTS:
            raise InvalidFilterException(detail="This filter has too many parts.")
        return _name(path)

    def _place(self, value: object) -> str:
        self.given.append(value)
        return f"${self.first + len(self.given) - 1}"

    def _text(self, column: str, op: CompareOperator, value: str) -> str:
        if op in SIGNS:
            return f"{column} {SIGNS[op]} {self._place(value)}"
        at = self._place(value)
        if op is CompareOperator.co:
            return f"strpos({column}, {at}) > 0"
        if op is CompareOperator.sw:
            return f"starts_with({column}, {at})"
        return f"right({column}, length({at})) = {at}"


def _name(path: AttrPath) -> str:
    whole = path.attr if not path.sub_attr else f"{path.attr}.{path.sub_attr}"
    return whole.lower()


def _moment(value: object) -> datetime:
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError as error:
        raise InvalidFilterException(detail=f"«{value}» is no date with a time.") from error
    if moment.tzinfo is None:
        raise InvalidFilterException(detail=f"«{value}» has no time zone.")
    return moment
