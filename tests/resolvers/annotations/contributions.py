"""Annotations and notes for tests, and a city's models as this slice sees them: by their keys alone."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from resolvers.annotations import commands
from resolvers.annotations import store as sql
from resolvers.annotations.records import Annotation, AnnotationDraft, AnnotationType, Note, NoteDraft, Owner
from resolvers.stores.engine import Store

HELSINKI = Owner("FI-HELSINKI", "FI-HELSINKI")
MILL, KILN = UUID(int=1), UUID(int=2)
ADA, BOB, EVE = UUID(int=0xA), UUID(int=0xB), UUID(int=0xE)


@dataclass(frozen=True, slots=True)
class KnownModels:
    """Stands for the slice of models, which is tested with this one in `tests/subgraphs/annotations`."""

    tenant: str = HELSINKI.tenant
    of_models: Mapping[UUID, Collection[str]] = field(default_factory=lambda: {MILL: {"wheel", "stone"}, KILN: {"wheel"}})

    async def existing(self, _connection: AsyncConnection, tenant: str, models: Sequence[UUID]) -> set[UUID]:
        return {model for model in models if model in self.of_models and tenant == self.tenant}

    async def elements(self, _connection: AsyncConnection, tenant: str, model: UUID, element_ids: Collection[str]) -> set[str]:
        return {element for element in element_ids if element in self.of_models[model] and tenant == self.tenant}


MODELS = KnownModels()


async def annotate(
    store: Store,
    text: str = "The wheel squeaks",
    *,
    model: UUID = MILL,
    element: str = "wheel",
    kind: AnnotationType = AnnotationType.COMMENT,
    now: int = 1_000,
    author: str = "ada",
    models: commands.ModelDirectory = MODELS,
    owner: Owner = HELSINKI,
    **draft: Any,
) -> Annotation:
    said = AnnotationDraft(kind, text, **draft)
    return await commands.create_annotation(store, models, owner=owner, author=author, model=model, element=element, draft=said, now=now)


async def write_note(
    store: Store,
    text: str = "We meet on Monday",
    *,
    model: UUID = MILL,
    now: int = 1_000,
    author: str = "ada",
    models: commands.ModelDirectory = MODELS,
    owner: Owner = HELSINKI,
    **draft: Any,
) -> Note:
    return await commands.create_note(store, models, owner=owner, author=author, model=model, draft=NoteDraft(text, **draft), now=now)


async def hang_on(store: Store, models: Sequence[UUID], user: UUID = BOB) -> None:
    """Gives each model annotations on its wheel, its stone and its wheel again, and two notes; all of them mention `user`.

    Written all at once, because many transactions take their time. Texts are the model's number and the contribution's own.
    """
    of_owner = {"tenant": HELSINKI.tenant, "city": HELSINKI.city, "author": "ada", "version": 1, "mentioned": [str(user)]}
    annotations, notes, mentions = [], [], []
    for number, model in enumerate(models):
        for turn, element in enumerate(("wheel", "stone", "wheel", None, None)):
            at, uuid = 1_000 * number + turn, uuid4()
            row = {**of_owner, "uuid": uuid, "model": model, "text": f"{number}.{turn}", "created_at": at, "updated_at": at}
            if element is None:
                notes.append(row | {"related_elements": []})
            else:
                annotations.append(row | {"element": element, "type": "RISK", "tags": ["x"], "resolved": False})
            place = {"annotation": None if element is None else uuid, "note": uuid if element is None else None}
            by = {"uuid": uuid4(), "model": model, "mentioned": user, "mentioned_by": "ada", "at": at}
            mentions.append({"tenant": HELSINKI.tenant, "city": HELSINKI.city, **place, **by})
    async with store.write() as connection:
        for table, rows in ((sql.annotation, annotations), (sql.note, notes), (sql.mention, mentions)):
            await connection.execute(sa.insert(table), rows)
