"""Backups and the audit log through the gateway, on both stores."""

from uuid import uuid4

import pytest
import sqlalchemy as sa

from graph.contracts import AuditEntry, AuditOutcome
from resolvers.operations.audit import AuditLog
from resolvers.operations.backups import LEASE
from resolvers.operations.leases import Lease
from resolvers.operations.records import SYSTEM, Backup, BackupState
from resolvers.operations.store import add_backup
from resolvers.stores.engine import Store
from tests.fakes.city import ADA, CITY, TENANT, City
from tests.fakes.statements import count_all_statements

RUN = "mutation { runBackup(input: {}) { backup { id state startedAt finishedAt size sha256 verifiedAt failure } } }"
VERIFY = "mutation ($id: ID!) { verifyBackup(input: {id: $id}) { backup { id state verifiedAt failure } } }"
STATUS = """{ backupStatus { lastSuccessfulBackup lastVerifiedRestore nextBackup
  policy { schedule retentionDays location } recent { id state } } }"""
LOG = """query ($filter: AuditLogFilter, $cities: [ID!], $first: Int, $after: String, $last: Int, $before: String) {
  auditLog(filter: $filter, cities: $cities, first: $first, after: $after, last: $last, before: $before) {
    totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor } edges { cursor }
    nodes { id at subject operation target outcome requestId traceId } } }"""
ADMIN = ("admin",)
OPERATION = "Test.operation"
"""What the gateway itself never writes."""


async def add(store: Store, *made: tuple[str, int, str], city: str = CITY) -> None:
    """Entries of (tenant, time, subject)."""
    log = AuditLog(store, city)
    await log.write(
        [AuditEntry(tenant, at, subject, OPERATION, f"{CITY}/model/1", AuditOutcome.DENIED, "r", "t") for tenant, at, subject in made]
    )
    await log.close()


async def test_backup_when_run_and_verified_then_the_status_tells_both(city: City) -> None:
    """FC-08, AC-07, TC-09"""
    made = (await city.ask(RUN, roles=ADMIN))["runBackup"]["backup"]
    verified = (await city.ask(VERIFY, {"id": made["id"]}, roles=ADMIN))["verifyBackup"]["backup"]
    status = (await city.ask(STATUS, roles=ADMIN))["backupStatus"]

    assert (made["state"], made["failure"], made["verifiedAt"]) == ("SUCCEEDED", None, None)
    assert (made["size"] > 1_000, len(made["sha256"])) == (True, 64)
    assert verified["verifiedAt"] >= made["finishedAt"] >= made["startedAt"]
    assert status["lastSuccessfulBackup"] == made["finishedAt"]
    assert status["lastVerifiedRestore"] == verified["verifiedAt"]
    assert status["recent"] == [{"id": made["id"], "state": "SUCCEEDED"}]
    assert (status["policy"]["schedule"], status["policy"]["retentionDays"]) == ("0 2 * * *", 30)
    assert status["policy"]["location"].endswith("/backups")
    assert 0 < status["nextBackup"] - made["finishedAt"] <= 86_400_000


async def test_status_when_there_was_no_backup_then_null_and_empty(city: City) -> None:
    status = (await city.ask(STATUS, roles=ADMIN))["backupStatus"]

    assert (status["lastSuccessfulBackup"], status["lastVerifiedRestore"], status["recent"]) == (None, None, [])


async def test_backup_when_of_another_city_then_nothing_is_known(city: City) -> None:
    elsewhere = f"SE-UMEA/backup/{uuid4()}"

    assert await city.ask('{ backupStatus(city: "SE-UMEA") { nextBackup } }', roles=ADMIN) == {"backupStatus": None}
    assert await city.codes('mutation { runBackup(input: {city: "SE-UMEA"}) { backup { id } } }', roles=ADMIN) == ["NOT_FOUND"]
    assert await city.codes(VERIFY, {"id": elsewhere}, roles=ADMIN) == ["NOT_FOUND"]


async def test_verification_when_it_cannot_be_then_the_code_says_why(city: City) -> None:
    failed = Backup(CITY, uuid4(), BackupState.FAILED, 1, 2, failure="the disk is full")
    theirs = Backup(CITY, uuid4(), BackupState.SUCCEEDED, 1, 2, 3, "0" * 64)
    async with city.store.write() as connection:
        await connection.execute(add_backup(TENANT, failed))
        await connection.execute(add_backup("espoo", theirs))

    answer = await city.answer(VERIFY, {"id": f"{CITY}/backup/{failed.uuid}"}, roles=ADMIN)

    (error,) = answer.body["errors"]
    assert (error["extensions"]["code"], error["extensions"]["state"]) == ("CONFLICT", "FAILED")
    assert await city.codes(VERIFY, {"id": f"{CITY}/backup/{theirs.uuid}"}, roles=ADMIN) == ["NOT_FOUND"]
    assert await city.codes(VERIFY, {"id": f"{CITY}/backup/{uuid4()}"}, roles=ADMIN) == ["NOT_FOUND"]
    assert await city.codes(VERIFY, {"id": f"{CITY}/model/{failed.uuid}"}, roles=ADMIN) == ["BAD_USER_INPUT"]


async def test_backup_when_another_process_makes_one_then_conflict(city: City) -> None:
    assert await Lease(city.store, LEASE).acquire()

    assert await city.codes(RUN, roles=ADMIN) == ["CONFLICT"]


@pytest.mark.parametrize("document", [RUN, STATUS, "{ auditLog { nodes { id } } }"])
async def test_operations_when_asked_without_the_role_then_forbidden_and_nothing_is_done(city: City, document: str) -> None:
    """FC-11, AC-02"""
    others = ("dt_viewer", "dt_simulator", "dt_ingestor", "city_editor", "dth_viewer", "dth_editor", "compliance_reader")

    assert await city.codes(document, roles=others) == ["FORBIDDEN"]
    async with city.store.read() as connection:
        assert (await connection.execute(sa.text("SELECT count(*) FROM backup"))).scalar_one() == 0


async def test_nodes_when_asked_by_identifier_then_own_and_the_citys_are_found(city: City) -> None:
    mine, system, theirs = (Backup(CITY, uuid4(), BackupState.FAILED, 1, 2, failure="x") for _ in range(3))
    async with city.store.write() as connection:
        for tenant, backup in ((TENANT, mine), (SYSTEM, system), ("espoo", theirs)):
            await connection.execute(add_backup(tenant, backup))
    await add(city.store, (TENANT, 1, "ada"))
    (entry,) = (await city.ask(LOG, {"filter": {"operation": OPERATION}}))["auditLog"]["nodes"]
    ids = [f"{CITY}/backup/{backup.uuid}" for backup in (mine, system, theirs)] + [entry["id"]]

    asked = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on Backup { failure } ... on AuditLogEntry { subject } } }"
    found = (await city.ask(asked, {"ids": ids}, roles=ADMIN))["nodes"]

    assert found == [
        {"__typename": "Backup", "id": ids[0], "failure": "x"},
        {"__typename": "Backup", "id": ids[1], "failure": "x"},
        None,
        {"__typename": "AuditLogEntry", "id": ids[3], "subject": "ada"},
    ]


async def test_audit_log_when_listed_then_newest_first_of_this_tenant_and_the_city(city: City) -> None:
    await add(city.store, (TENANT, 10, "ada"), ("espoo", 11, "bob"), (SYSTEM, 12, "system"), (TENANT, 13, "eve"))

    log = (await city.ask(LOG, {"filter": {"operation": OPERATION}}, roles=ADMIN))["auditLog"]

    assert [(node["at"], node["subject"]) for node in log["nodes"]] == [(13, "eve"), (12, "system"), (10, "ada")]
    assert log["totalCount"] == 3
    assert {key: value for key, value in log["nodes"][0].items() if key != "id"} == {
        "at": 13,
        "subject": "eve",
        "operation": OPERATION,
        "target": f"{CITY}/model/1",
        "outcome": "DENIED",
        "requestId": "r",
        "traceId": "t",
    }


async def test_audit_log_when_filtered_then_each_condition_holds(city: City) -> None:
    await add(city.store, *((TENANT, at, "ada" if at % 2 else "bob") for at in range(10)))

    async def times(**variables: object) -> list[int]:
        log = (await city.ask(LOG, variables, roles=ADMIN))["auditLog"]
        return [node["at"] for node in log["nodes"]]

    mine = {"operation": OPERATION}
    assert await times(filter={**mine, "subject": "ada"}) == [9, 7, 5, 3, 1]
    assert await times(filter={**mine, "range": {"startTs": 3, "endTs": 5}}) == [4, 3]
    assert await times(filter=mine, cities=["SE-UMEA"]) == []
    assert await times(filter=mine, cities=[CITY, "SE-UMEA"], first=1) == [9]


async def test_audit_log_when_paged_then_every_entry_once_both_ways(city: City) -> None:
    await add(city.store, *((TENANT if at % 3 else SYSTEM, 100 + at // 2, "ada") for at in range(25)))
    mine = {"operation": OPERATION}
    everything = (await city.ask(LOG, {"filter": mine}, roles=ADMIN))["auditLog"]["nodes"]

    forward: list[str] = []
    page = {"hasNextPage": True, "endCursor": None}
    while page["hasNextPage"]:
        log = (await city.ask(LOG, {"filter": mine, "first": 7, "after": page["endCursor"]}, roles=ADMIN))["auditLog"]
        forward, page = forward + [node["id"] for node in log["nodes"]], log["pageInfo"]
    backward: list[str] = []
    page = {"hasPreviousPage": True, "startCursor": None}
    while page["hasPreviousPage"]:
        log = (await city.ask(LOG, {"filter": mine, "last": 7, "before": page["startCursor"]}, roles=ADMIN))["auditLog"]
        backward, page = [node["id"] for node in log["nodes"]] + backward, log["pageInfo"]

    assert forward == backward == [node["id"] for node in everything]
    assert len(set(forward)) == 25
    assert [node["at"] for node in everything] == sorted((node["at"] for node in everything), reverse=True)


@pytest.mark.parametrize(
    "variables",
    [
        {"first": 1_001},
        {"first": -1},
        {"after": "x"},
        {"filter": {"range": {"startTs": 5, "endTs": 3}}},
        {"filter": {"subject": "x" * 513}},
        {"filter": {"operation": "a\0b"}},
        {"cities": ["x"] * 1_001},
    ],
)
async def test_audit_log_when_asked_wrongly_then_bad_user_input(city: City, variables: dict[str, object]) -> None:
    assert await city.codes(LOG, variables, roles=ADMIN) == ["BAD_USER_INPUT"]


async def test_entities_when_there_are_many_then_one_statement(city: City) -> None:
    backups = [Backup(CITY, uuid4(), BackupState.FAILED, at, at) for at in range(60)]
    async with city.store.write() as connection:
        for backup in backups:
            await connection.execute(add_backup(TENANT, backup))
    asked = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Backup { startedAt } } }"

    statements = []
    for number in (5, 50):
        ids = [f"{CITY}/backup/{backup.uuid}" for backup in backups[:number]]
        with count_all_statements() as sent:
            found = await city.ask(asked, {"ids": ids}, roles=ADMIN)
        assert [node["startedAt"] for node in found["nodes"]] == list(range(number))
        statements.append([sql for sql in sent if "FROM" in sql and "backup" in sql])

    assert [len(sent) for sent in statements] == [1, 1]


async def test_audit_log_when_a_backup_was_run_then_it_says_who_did(city: City) -> None:
    made = (await city.ask(RUN, roles=ADMIN))["runBackup"]["backup"]
    log = (await city.ask(LOG, {"filter": {"operation": "Mutation.runBackup"}}, roles=ADMIN))["auditLog"]

    (entry,) = log["nodes"]
    assert (entry["subject"], entry["outcome"], entry["target"]) == (ADA, "ALLOWED", made["id"])
