"""Backups that are made and verified, on both stores."""

from resolvers.cities.commands import ensure_city
from resolvers.operations.records import BackupState
from tests.resolvers.operations.conftest import NOW, TENANT, Site


async def test_backup_when_made_and_verified_then_it_holds_what_the_store_held(site: Site) -> None:
    """FC-08, TC-09"""
    await ensure_city(site.store, tenant=TENANT, id="FI-HELSINKI", name="Helsinki")
    backups = site.backups()

    _, making = await backups.begin(TENANT)
    made = await making
    site.at = NOW + 1_000
    verified = await (await backups.verify(TENANT, made.uuid))

    assert (made.state, made.failure) == (BackupState.SUCCEEDED, None)
    assert verified.verified_at == NOW + 1_000
    manifest = await site.archives.manifest(made.uuid)
    assert manifest.tables["city"].rows == 1
    assert manifest.archive_sha256 == made.sha256
