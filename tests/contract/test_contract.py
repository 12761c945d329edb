"""The public API takes nothing away from the contract."""

import subprocess
import sys
from pathlib import Path

from graphql import build_schema

HERE = Path(__file__).parent
SCHEMA = HERE.parents[1] / "schema.graphql"


def test_schema_when_held_against_the_contract_then_it_holds() -> None:
    done = subprocess.run([sys.executable, HERE / "check.py", SCHEMA], capture_output=True, text=True, check=False, timeout=60)

    assert (done.stdout, done.stderr, done.returncode) == ("contract holds\n", "", 0)


def test_schema_when_read_then_federation_does_not_show() -> None:
    schema = build_schema(SCHEMA.read_text(encoding="utf-8"))

    assert not {"_Any", "_Entity", "_Service", "FieldSet"} & schema.type_map.keys()
    assert schema.query_type is not None
    assert not {"_entities", "_service"} & schema.query_type.fields.keys()
