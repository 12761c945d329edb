"""Mentions as they are made, told to whom they mention, and to nobody else."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from uuid import UUID

import strawberry
from strawberry import UNSET

from graph.rights import Scope, any_of
from resolvers.annotations import queries
from resolvers.annotations.events import mentions_channel
from resolvers.stores.feed import journal_feed
from subgraphs.annotations.types import Info, Mention, caller, mention, owner_of
from subgraphs.arguments import given
from subgraphs.directives import PerCaller
from subgraphs.subscriptions import read_number, write_cursor

FIELD = "mentioned"


async def _mentioned(info: Info, after: str | None = UNSET) -> AsyncGenerator[Mention, None]:
    context, user = info.context, caller(info.context)
    cursor = given(after)
    start = None if cursor is None else read_number(FIELD, cursor)
    if user is None:
        # Nobody can mention whose subject is no UUID.
        await asyncio.Event().wait()
        return
    owner = owner_of(context)
    async with aclosing(journal_feed(context.store, context.events, context.tenant, mentions_channel(user), start)) as events:
        async for event in events:
            uuid = UUID(event.payload["mention"])
            found = (await queries.mentions_by_uuid(context.store, owner, user, [uuid])).get(uuid)
            if found is not None:  # else it is gone again, with what it stood in
                yield mention(owner.city, found, write_cursor(FIELD, event.seq))


@strawberry.type
class Subscription:
    mentioned: AsyncGenerator[Mention, None] = strawberry.federation.field(
        resolver=_mentioned,
        is_subscription=True,
        requires_scopes=any_of(Scope.COLLABORATION_READ),
        directives=[PerCaller()],
        description="Annotations and notes that mention the caller.",
    )
