"""Backups and the audit log through the gateway, on both stores."""

from tests.fakes.city import City

RUN = "mutation { runBackup(input: {}) { backup { id state startedAt finishedAt size sha256 verifiedAt failure } } }"
VERIFY = "mutation ($id: ID!) { verifyBackup(input: {id: $id}) { backup { id state verifiedAt failure } } }"
STATUS = """{ backupStatus { lastSuccessfulBackup lastVerifiedRestore nextBackup
  policy { schedule retentionDays location } recent { id state } } }"""


async def test_backup_when_run_and_verified_then_the_status_tells_both(city: City) -> None:
    """FC-08, AC-07, TC-09"""
    made = (await city.ask(RUN))["runBackup"]["backup"]
    verified = (await city.ask(VERIFY, {"id": made["id"]}))["verifyBackup"]["backup"]
    status = (await city.ask(STATUS))["backupStatus"]

    assert (made["state"], made["failure"], made["verifiedAt"]) == ("SUCCEEDED", None, None)
    assert verified["verifiedAt"] >= made["finishedAt"] >= made["startedAt"]
    assert status["lastSuccessfulBackup"] == made["finishedAt"]
    assert status["lastVerifiedRestore"] == verified["verifiedAt"]
    assert status["recent"] == [{"id": made["id"], "state": "SUCCEEDED"}]
    assert status["policy"]["schedule"] == "0 2 * * *"
    assert status["nextBackup"] > made["finishedAt"]
