"""Participants by model, batched."""

from collections.abc import Sequence

from aiodataloader import DataLoader

from graph.gateway_subgraph.participants import AT_A_TIME, Participants, Presence


class ParticipantsLoader(DataLoader[str, list[Presence]]):
    """Those of all models that one request asks for, by the models' full identifiers."""

    def __init__(self, participants: Participants, tenant: str) -> None:
        super().__init__(max_batch_size=AT_A_TIME)
        self._participants, self._tenant = participants, tenant

    async def batch_load_fn(self, keys: Sequence[str]) -> list[list[Presence]]:
        return await self._participants.of_many(self._tenant, keys)
