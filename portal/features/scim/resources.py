"""What we say of a login, and what we announce of ourselves. The protocol's rules are the library's (`scim2_models`)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar

import msgspec
from pydantic import Field
from scim2_models import (
    URN,
    AuthenticationScheme,
    Bulk,
    CaseExact,
    ChangePassword,
    ComplexAttribute,
    ETag,
    Extension,
    External,
    Filter,
    Meta,
    Patch,
    Reference,
    Required,
    Resource,
    ResourceType,
    ScimPolicy,
    ScimProvider,
    ServiceProviderConfig,
    Sort,
    Uniqueness,
)
from scim2_models.resources.resource import AnyExtension

MOST_ROWS = 200


class Name(ComplexAttribute):
    """The parts of a name."""

    family_name: str | None = None
    given_name: str | None = None
    middle_name: str | None = None


class Role(ComplexAttribute):
    """A role of the client's project, by its code."""

    value: Annotated[str | None, CaseExact.true] = None


class User(Resource[AnyExtension]):
    """A login. Of the standard's attributes those that we keep; all others are ignored."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:User")

    user_name: Annotated[str | None, Uniqueness.server, Required.true] = None
    name: Name | None = None
    Name: ClassVar[type[ComplexAttribute]] = Name
    display_name: str | None = None
    preferred_language: Annotated[str | None, Field(examples=["kk", "ru", "en"])] = None
    active: bool | None = None
    roles: list[Role] | None = None
    Roles: ClassVar[type[ComplexAttribute]] = Role


class School(Extension):
    """Where the roles hold: one school, by its code."""

    __schema__ = URN("urn:elumiti:scim:schemas:1.0:School")

    school_code: Annotated[str | None, CaseExact.true] = None


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """A login as its row is. `roles`: of the client's project, that hold now.

    `shut_here`: this client shut it, and nobody since. `elsewhere`: it works in other projects too.
    """

    id: int
    public_id: str
    login: str
    full_name: str
    display: str | None
    language: str
    active: bool
    created_at: datetime
    changed_at: datetime
    family: str
    given: str
    middle: str
    external_id: str | None
    roles: list[str]
    school_code: str | None
    shut_here: bool
    elsewhere: bool

    @property
    def version(self) -> str:
        """A weak entity tag: it rises with each change."""
        return f'W/"{int(self.changed_at.timestamp() * 1_000_000):x}"'


PROVIDER = ScimProvider(
    models=[User, School],
    resource_types=[ResourceType.from_resource(User[School])],
    # Others' habits that confuse nothing: attributes that we don't know, a value beside «remove».
    policy=ScimPolicy(
        unknown=ScimPolicy.Unknown.ignore,
        remove_value_as_filter=ScimPolicy.RemoveValue.apply,
        unmatched_path_filter=ScimPolicy.UnmatchedPathFilter.create,
    ),
    config=ServiceProviderConfig(
        patch=Patch(supported=True),
        bulk=Bulk(supported=False, max_operations=0, max_payload_size=0),
        filter=Filter(supported=True, max_results=MOST_ROWS),
        change_password=ChangePassword(supported=False),
        sort=Sort(supported=True),
        etag=ETag(supported=True),
        authentication_schemes=[
            AuthenticationScheme(
                type=AuthenticationScheme.Type.oauthbearertoken,
                name="Bearer token",
                description="The token of the system, made on its page in the portal.",
                spec_uri=Reference[External]("https://www.rfc-editor.org/rfc/rfc6750"),
                primary=True,
            )
        ],
    ),
)
SchoolUser = User[School]


def as_resource(row: Login, base: str) -> User:
    """The row as the protocol says it."""
    resource = SchoolUser(
        id=row.public_id,
        external_id=row.external_id,
        user_name=row.login,
        name=Name(family_name=row.family or None, given_name=row.given or None, middle_name=row.middle or None)
        if row.family or row.given or row.middle
        else None,
        display_name=row.display,
        preferred_language=row.language,
        active=row.active,
        roles=[Role(value=code) for code in row.roles] or None,
        meta=Meta(
            resource_type="User",
            created=row.created_at,
            last_modified=row.changed_at,
            location=f"{base}/Users/{row.public_id}",
            version=row.version,
        ),
    )
    if row.school_code:
        resource[School] = School(school_code=row.school_code)
    return resource
