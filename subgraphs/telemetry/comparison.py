"""How a comparison of scenarios looks in GraphQL, and the root field that asks for one."""

import strawberry

from graph.contracts import GlobalId
from resolvers.telemetry import comparison, records
from subgraphs.scalars import Long, Timestamp
from subgraphs.telemetry.asking import Info, known_entity, known_scenarios
from subgraphs.telemetry.entities import Scenario, scenario
from subgraphs.telemetry.types import READ, Aggregation
from subgraphs.values import TimeRangeInput, read_range

_ERROR = "Against the measured data, over the timestamps that both have."


@strawberry.federation.type(requires_scopes=READ)
class ScenarioComparisonColumn:
    key: str
    source: records.TelemetrySource
    scenario_id: strawberry.ID | None
    unit: str | None
    scenario: Scenario | None = strawberry.field(description="Null for the measured data.")
    values: list[float | None] = strawberry.field(description="One for each timestamp; null where there is no point.")
    mean: float | None
    min: float | None
    max: float | None
    mean_absolute_error: float | None = strawberry.field(description=f"{_ERROR} Null where the units differ.")
    root_mean_square_error: float | None


@strawberry.federation.type(requires_scopes=READ)
class ScenarioComparison:
    timestamps: list[Timestamp]
    columns: list[ScenarioComparisonColumn]


async def compare_scenarios(
    info: Info,
    entity_id: strawberry.ID,
    scenario_ids: list[strawberry.ID],
    keys: list[str],
    range: TimeRangeInput,
    interval_ms: Long,
    aggregation: Aggregation = Aggregation.AVG,
) -> ScenarioComparison | None:
    context = info.context
    start, end = read_range("range", range)
    windows = comparison.compared_windows(
        keys=keys,
        scenarios=[GlobalId.parse(one, kind="scenario", home_city=context.home_city).uuid for one in scenario_ids],
        start=start,
        end=end,
        aggregation=records.Aggregation(aggregation.value),
        interval=interval_ms,
    )
    entity = await known_entity(context, entity_id)
    await known_scenarios(context, entity, scenario_ids)
    found = await comparison.compare(context.store, context.tenant, entity.uuid, windows)
    return ScenarioComparison(
        timestamps=[Timestamp(time) for time in found.timestamps], columns=[_column(entity, column) for column in found.columns]
    )


def _column(entity: GlobalId, column: comparison.ComparedColumn) -> ScenarioComparisonColumn:
    of = None if column.name.scenario is None else GlobalId(entity.city, "scenario", column.name.scenario)
    return ScenarioComparisonColumn(
        key=column.name.key,
        source=column.name.source,
        scenario_id=None if of is None else strawberry.ID(str(of)),
        unit=column.name.unit,
        scenario=None if of is None else scenario(of, entity),
        values=list(column.values),
        mean=column.figures.mean,
        min=column.figures.min,
        max=column.figures.max,
        mean_absolute_error=column.figures.mean_absolute_error,
        root_mean_square_error=column.figures.root_mean_square_error,
    )
