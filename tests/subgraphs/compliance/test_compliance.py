"""Reports and quality-control data through the gateway: AC-08, FC-09, TC-10."""

import hashlib
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest

from graph.errors import BadUserInput
from resolvers.city_objects.directory import CityObjectDirectory
from resolvers.compliance import queries
from resolvers.compliance.commands import Shelf
from resolvers.compliance.records import ComplianceStatus, Measurement, Stretch
from resolvers.models.directory import ModelDirectory
from resolvers.stores.engine import Store
from resolvers.stores.objects import ObjectStore
from subgraphs.compliance.schema import build
from tests.fakes.city import CITY, City, running_city
from tests.fakes.seaweedfs import SeaweedFS
from tests.fakes.servers import served
from tests.fakes.statements import count_all_statements
from tests.resolvers.city_objects.drafts import draft, put
from tests.resolvers.compliance.shelves import dataset, measured, report

READER = ("compliance_reader",)
READER_OF_MODELS = ("compliance_reader", "dth_viewer")
"""A model is what its own readers may see, wherever it is named."""
ALL_REPORTS = "{ complianceReports { nodes { title } } }"


def shelf_of(city: City, folder: Path | str) -> Shelf:
    return Shelf(
        city.store, ObjectStore.open(str(folder)), ModelDirectory(CITY).existing, CityObjectDirectory(city.store, CITY).existing_in
    )


@pytest.fixture
def shelf(city: City, composed_dir: Path) -> Shelf:
    """Where the city itself finds its files."""
    return shelf_of(city, composed_dir / "artefacts")


async def new_model(city: City, name: str = "Mill") -> UUID:
    create = "mutation ($input: CreateModelInput!) { createModel(input: $input) { model { uuid } } }"
    made = await city.ask(create, {"input": {"name": name, "content": {"nodes": []}}})
    return UUID(made["createModel"]["model"]["uuid"])


async def titles(city: City, arguments: str) -> list[str]:
    found = await city.ask(f"{{ complianceReports({arguments}) {{ nodes {{ title }} }} }}", roles=READER)
    return [node["title"] for node in found["complianceReports"]["nodes"]]


async def test_report_when_asked_by_its_model_then_metadata_and_artefact(city: City, shelf: Shelf) -> None:
    """TC-10: a compliance reader asks by model, and gets the metadata and a reference to the artefact."""
    model = await new_model(city)
    uuid = await report(shelf, "Circularity 2025", model=model, issued_at=1_750_000_000_000)
    await report(shelf, "About nothing")

    found = await city.ask(
        """query ($model: ID!) { complianceReports(modelId: $model) { totalCount nodes {
            id uuid title standard status issuedAt issuedBy period { startTs endTs } model { id }
            artefact { name mediaType size sha256 url urlExpiresAt } } } }""",
        {"model": f"{CITY}/model/{model}"},
        roles=READER_OF_MODELS,
    )

    (node,) = found["complianceReports"]["nodes"]
    url, expiry = node["artefact"].pop("url"), node["artefact"].pop("urlExpiresAt")
    assert found["complianceReports"]["totalCount"] == 1
    assert node == {
        "id": f"{CITY}/report/{uuid}",
        "uuid": str(uuid),
        "title": "Circularity 2025",
        "standard": "ISO 59020:2024",
        "status": "ISSUED",
        "issuedAt": 1_750_000_000_000,
        "issuedBy": None,
        "period": None,
        "model": {"id": f"{CITY}/model/{model}"},
        "artefact": {
            "name": "Käpylä 2025.pdf",
            "mediaType": "application/pdf",
            "size": 4,
            "sha256": hashlib.sha256(b"%PDF").hexdigest(),
        },
    }
    assert url.startswith("/artefacts/")
    assert expiry % 1000 == 0


async def test_artefact_when_its_link_is_followed_without_a_token_then_a_download(city: City, shelf: Shelf) -> None:
    await report(shelf, content=b"<script>alert(1)</script>" * 100_000)
    found = await city.ask("{ complianceReports { nodes { artefact { url } } } }", roles=READER)
    url = found["complianceReports"]["nodes"][0]["artefact"]["url"]

    async with served(city.application) as base, httpx.AsyncClient(base_url=base) as client:
        answer = await client.get(url)
        head = await client.head(url)
        posted = await client.post(url)
        altered = await client.get(url[:-2])
        nothing = await client.get("/artefacts/")

    assert (answer.status_code, answer.content) == (200, b"<script>alert(1)</script>" * 100_000)
    assert {name: answer.headers[name] for name in ("content-type", "content-length", "x-content-type-options", "cache-control")} == {
        "content-type": "application/pdf",
        "content-length": "2500000",
        "x-content-type-options": "nosniff",
        "cache-control": "no-store",
    }
    assert answer.headers["content-disposition"].startswith('attachment; filename="K_pyl_ 2025.pdf"')
    assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert (head.status_code, head.headers["content-length"], head.content) == (200, "2500000", b"")
    assert (posted.status_code, altered.status_code, nothing.status_code) == (405, 404, 404)
    assert altered.json()["errorCode"] == "NOT_FOUND"


async def test_artefact_when_damaged_or_its_link_expired_then_a_problem_and_no_byte_of_it(
    store_url: str, tmp_path: Path, composed_dir: Path
) -> None:
    settings = {"artefacts_url": str(tmp_path / "files"), "artefact_url_ttl_s": 1, "public_url": "https://city.example/"}
    async with running_city(store_url, composed_dir, **settings) as city:
        await report(shelf_of(city, tmp_path / "files"), content=b"secret content")
        ask = "{ complianceReports { nodes { artefact { url } } } }"
        (file,) = [path for path in (tmp_path / "files").rglob("*") if path.is_file()]
        file.write_bytes(b"secret c0ntent")

        async with served(city.application) as base, httpx.AsyncClient(base_url=base) as client:
            for _ in range(3):  # a link of one second may end before it is followed
                url = (await city.ask(ask, roles=READER))["complianceReports"]["nodes"][0]["artefact"]["url"]
                path = url.removeprefix("https://city.example")
                damaged = await client.get(path)
                if damaged.status_code != 403:
                    break
            while (expired := await client.get(path)).status_code != 403:
                pass

    assert url.startswith("https://city.example/artefacts/")
    assert (damaged.status_code, damaged.json()["errorCode"]) == (500, "INTERNAL_SERVER_ERROR")
    assert "damaged in the object store" in damaged.json()["detail"]
    assert b"secret" not in damaged.content
    assert expired.json()["errorCode"] == "FORBIDDEN"


async def test_reports_when_ordered_and_paged_then_the_same_both_ways(city: City, shelf: Shelf) -> None:
    for title, issued_at in (("b", 3_000), ("a", 1_000), ("c", 2_000)):
        await report(shelf, title, issued_at=issued_at)
    await report(shelf, "draft", status=ComplianceStatus.DRAFT)

    assert await titles(city, "first: 50") == ["b", "c", "a", "draft"]
    assert await titles(city, "orderBy: ISSUED_AT_ASC") == ["a", "c", "b", "draft"]
    assert await titles(city, "orderBy: TITLE_ASC") == ["a", "b", "c", "draft"]
    assert await titles(city, "last: 2") == ["a", "draft"]
    for order in ("ISSUED_AT_ASC", "ISSUED_AT_DESC", "TITLE_ASC"):
        assert await walked(city, order) == await titles(city, f"orderBy: {order}")


async def walked(city: City, order: str) -> list[str]:
    found: list[str] = []
    after, more = "", True
    while more:
        page = (
            await city.ask(
                f"{{ complianceReports(first: 1, orderBy: {order} {after}) "
                "{ nodes { title } pageInfo { hasNextPage endCursor } totalCount } }",
                roles=READER,
            )
        )["complianceReports"]
        assert page["totalCount"] == 4
        found += [node["title"] for node in page["nodes"]]
        after, more = f'after: "{page["pageInfo"]["endCursor"]}"', page["pageInfo"]["hasNextPage"]
    return found


async def test_reports_when_filtered_then_by_status_and_city(city: City, shelf: Shelf) -> None:
    await report(shelf, "issued")
    await report(shelf, "draft", status=ComplianceStatus.DRAFT)
    await report(shelf, "elsewhere", city="EE-TALLINN")

    assert await titles(city, "status: [DRAFT, WITHDRAWN]") == ["draft"]
    assert await titles(city, "status: []") == []
    assert await titles(city, f'cities: ["{CITY}"], orderBy: TITLE_ASC') == ["draft", "issued"]
    assert await titles(city, 'cities: ["EE-TALLINN"]') == ["elsewhere"]
    assert await titles(city, f'modelId: "{uuid4()}"') == []
    assert await city.codes('{ complianceReports(modelId: "x") { totalCount } }', roles=READER) == ["BAD_USER_INPUT"]
    assert await city.codes("{ complianceReports(first: 1001) { totalCount } }", roles=READER) == ["BAD_USER_INPUT"]


async def test_reports_when_another_tenant_or_role_asks_then_none(city: City, shelf: Shelf) -> None:
    """AC-08: under the role compliance_reader, and no other's rows."""
    uuid = await report(shelf)
    one = f'{{ complianceReport(id: "{uuid}") {{ title }} }}'

    assert await city.ask(one, roles=READER) == {"complianceReport": {"title": "Circularity"}}
    assert await city.ask(one, roles=READER, tenant="another") == {"complianceReport": None}
    assert await city.ask(ALL_REPORTS, roles=READER, tenant="another") == {"complianceReports": {"nodes": []}}
    assert await city.codes(ALL_REPORTS, roles=("dt_viewer", "admin", "dth_editor")) == ["FORBIDDEN"]


async def test_dataset_when_asked_by_its_object_then_measurements_and_whether_they_conform(city: City, shelf: Shelf) -> None:
    (station,) = await put(city.store, draft("station", name="Station"))
    given = [
        Measurement("flatness", 0.2, "mm", None, 0.2, 1_000),
        Measurement("flatness", 0.21, "mm", None, 0.2, 1_001),
        Measurement("length", -1.5, "cm", -1.5, None, 1_002),
        Measurement("mass", 1e300, "kg", None, None, 1_003),
    ]
    await dataset(shelf, "Run 1", given, entity=station)
    await dataset(shelf, "Run 2")

    found = await city.ask(
        """query ($entity: ID!) { qualityControlDatasets(entityId: $entity) { totalCount nodes {
            name description createdAt model { id } entity { id name } artefact { name mediaType }
            measurements { totalCount nodes { characteristic value unit lowerLimit upperLimit conforms measuredAt } } } } }""",
        {"entity": f"{CITY}/object/{station}"},
    )

    (node,) = found["qualityControlDatasets"]["nodes"]
    assert found["qualityControlDatasets"]["totalCount"] == 1
    measurements = node.pop("measurements")
    assert node == {
        "name": "Run 1",
        "description": None,
        "createdAt": 1_750_000_000_123,
        "model": None,
        "entity": {"id": f"{CITY}/object/{station}", "name": "Station"},
        "artefact": {"name": "run.csv", "mediaType": "text/csv"},
    }
    assert measurements["totalCount"] == 4
    assert [tuple(one.values()) for one in measurements["nodes"]] == [
        ("flatness", 0.2, "mm", None, 0.2, True, 1_000),
        ("flatness", 0.21, "mm", None, 0.2, False, 1_001),
        ("length", -1.5, "cm", -1.5, None, True, 1_002),
        ("mass", 1e300, "kg", None, None, True, 1_003),
    ]


async def test_measurements_when_paged_then_forward_and_backward_without_a_gap(city: City, shelf: Shelf) -> None:
    uuid = await dataset(shelf, measurements=measured(7))

    async def page(arguments: str) -> tuple[list[float], bool, bool, str]:
        found = await city.ask(
            f'{{ qualityControlDataset(id: "{uuid}") {{ measurements({arguments}) '
            "{ edges { cursor node { value } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }",
            roles=READER,
        )
        connection = found["qualityControlDataset"]["measurements"]
        info, edges = connection["pageInfo"], connection["edges"]
        assert [info["startCursor"], info["endCursor"]] == ([edges[0]["cursor"], edges[-1]["cursor"]] if edges else [None, None])
        cursor = edges[0]["cursor"] if "last" in arguments and edges else (info["endCursor"] or "")
        return [edge["node"]["value"] for edge in edges], info["hasPreviousPage"], info["hasNextPage"], cursor

    values, previous, following, cursor = await page("first: 3")
    assert (values, previous, following) == ([0, 1, 2], False, True)
    values, previous, following, cursor = await page(f'first: 10, after: "{cursor}"')
    assert (values, previous, following) == ([3, 4, 5, 6], True, False)
    assert (await page(f'first: 10, after: "{cursor}"'))[:3] == ([], True, False)
    values, previous, following, cursor = await page("last: 2")
    assert (values, previous, following) == ([5, 6], True, False)
    assert (await page(f'last: 10, before: "{cursor}"'))[:3] == ([0, 1, 2, 3, 4], False, True)
    assert (await page("first: 0"))[0] == []


async def test_fields_when_asked_of_5_or_50_then_the_same_number_of_statements(city: City, shelf: Shelf) -> None:
    model = await new_model(city)
    (station,) = await put(city.store, draft("station"))
    for number in range(50):
        await dataset(shelf, f"Run {number:02}", measured(3), model=model, entity=station)
    document = """query ($first: Int!) { qualityControlDatasets(first: $first, orderBy: NAME_ASC) { nodes {
        name model { id } entity { id } artefact { url } measurements(first: 2) { totalCount nodes { value } } } } }"""

    await city.ask(document, {"first": 1})  # the connections that it needs are open now
    counts = []
    for first in (5, 50):
        with count_all_statements() as statements:
            found = (await city.ask(document, {"first": first}))["qualityControlDatasets"]["nodes"]
        counts.append(len(statements))
        assert [node["name"] for node in found] == [f"Run {number:02}" for number in range(first)]
        assert {node["measurements"]["totalCount"] for node in found} == {3}

    assert counts[0] == counts[1]


async def test_answer_when_it_would_have_too_many_measurements_then_bad_user_input(store: Store) -> None:
    asked = [Stretch((CITY, uuid4()), 0, 1_000) for _ in range(101)]

    with pytest.raises(BadUserInput, match="would have 101,000 measurements, where at most 100,000 are given"):
        await queries.measurements(store, CITY, asked)


async def test_model_when_deleted_then_its_report_stays_and_names_no_phantom(city: City, shelf: Shelf) -> None:
    model = await new_model(city)
    uuid = await report(shelf, model=model)
    etag = (await city.ask(f'{{ model(id: "{model}") {{ etag }} }}'))["model"]["etag"]
    await city.ask(
        "mutation ($input: DeleteModelInput!) { deleteModel(input: $input) { deletedId } }",
        {"input": {"id": str(model), "ifMatch": etag}},
    )

    found = await city.ask(f'{{ complianceReport(id: "{uuid}") {{ title model {{ id }} }} }}', roles=READER_OF_MODELS)

    assert found == {"complianceReport": {"title": "Circularity", "model": None}}


async def test_nodes_when_asked_by_identifier_then_reports_and_datasets(city: City, shelf: Shelf) -> None:
    one, other = await report(shelf), await dataset(shelf)
    ids = [f"{CITY}/report/{one}", f"{CITY}/dataset/{other}", f"{CITY}/report/{uuid4()}", f"EE-TALLINN/report/{one}"]

    found = await city.ask(
        "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on ComplianceReport { title } } }", {"ids": ids}, roles=READER
    )

    assert found["nodes"][:3] == [
        {"__typename": "ComplianceReport", "id": ids[0], "title": "Circularity"},
        {"__typename": "QualityControlDataset", "id": ids[1]},
        None,
    ]
    assert found["nodes"][3] is None


def test_schema_when_printed_then_who_issued_a_report_is_marked_as_personal() -> None:
    assert "issuedBy: String @personalData(pseudonymous: true)" in build().as_str()


async def test_artefact_when_kept_on_s3_then_its_link_leads_there_and_not_to_the_gateway(
    sqlite_url: str, seaweedfs: SeaweedFS, composed_dir: Path
) -> None:
    url = seaweedfs.url("city", uuid4().hex)
    async with running_city(sqlite_url, composed_dir, artefacts_url=url) as city:
        await report(shelf_of(city, url), content=b"%PDF on S3")
        found = await city.ask("{ complianceReports { nodes { artefact { url } } } }", roles=READER)
        link = found["complianceReports"]["nodes"][0]["artefact"]["url"]

        async with served(city.application) as base, httpx.AsyncClient() as client:
            answer = await client.get(link)
            gateway = await client.get(f"{base}/artefacts/x.y")

    assert link.startswith(f"{seaweedfs.endpoint}/city/")
    assert (answer.status_code, answer.content) == (200, b"%PDF on S3")
    assert gateway.status_code == 404
