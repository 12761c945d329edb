"""Measurements out of CSV and JSON: exact values, and what is wrong told line by line."""

import json
from pathlib import Path

import pytest

from graph.errors import BadUserInput
from resolvers.compliance.records import Measurement
from resolvers.integrations import measurement_files
from resolvers.integrations.measurement_files import check_measurements, read_measurements

HEADER = "characteristic,value,unit,lowerLimit,upperLimit,measuredAt"


def written(folder: Path, content: str | bytes, name: str = "run.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(BadUserInput) as refused:
        check_measurements(path)
    return refused.value.detail.replace(f"{path.parent}/", "")


def test_csv_when_well_formed_then_its_exact_values(tmp_path: Path) -> None:
    lines = [
        "\ufeffmeasuredAt,characteristic,value,unit,upperLimit",
        "1748779200000,flatness,0.12,mm,0.2",
        '2025-06-01T12:00:00.250+02:00,"width, left",-1.5e3,{piece}/h,',
        "",
        "-1,mass,.5,kg, 7 ",
    ]
    path = written(tmp_path, "\r\n".join(lines))

    assert check_measurements(path) == 3
    assert list(read_measurements(path)) == [
        Measurement("flatness", 0.12, "mm", None, 0.2, 1_748_779_200_000),
        Measurement("width, left", -1500.0, "{piece}/h", None, None, 1_748_772_000_250),
        Measurement("mass", 0.5, "kg", None, 7.0, -1),
    ]


@pytest.mark.parametrize("wrapped", [False, True])
def test_json_when_well_formed_then_its_exact_values(tmp_path: Path, wrapped: bool) -> None:
    rows = [{"characteristic": "flatness", "value": 1, "unit": "mm", "lowerLimit": None, "upperLimit": 2.5, "measuredAt": 5}]
    path = written(tmp_path, json.dumps({"measurements": rows} if wrapped else rows), "run.json")

    assert check_measurements(path) == 1
    assert list(read_measurements(path)) == [Measurement("flatness", 1.0, "mm", None, 2.5, 5)]


def test_csv_when_lines_are_wrong_then_each_is_told_by_its_number(tmp_path: Path) -> None:
    rows = [
        HEADER,
        "a,nan,mm,,,0",
        "a,1_000,mm,,,0",
        "a,1e999,mm,,,0",
        "a,,mm,,,0",
        "a,1,mm,3,2,0",
        "a,1,mm,,,2025-06-01",
        "a,1,mm,,,2025-06-01T12:00:00",
        "a,1,mm,,,9007199254740993",
        "a,1",
        f"{'x' * 201},1,mm,,,0",
        "a,1,mm,,,0",
    ]

    assert refusal(written(tmp_path, "\n".join(rows))).splitlines() == [
        "run.csv, line 2: value is 'nan': expected a finite number with a decimal point",
        "run.csv, line 3: value is '1_000': expected a finite number with a decimal point",
        "run.csv, line 4: value is '1e999': expected a finite number with a decimal point",
        "run.csv, line 5: value is missing",
        "run.csv, line 6: lowerLimit 3 is above upperLimit 2",
        "run.csv, line 7: measuredAt is '2025-06-01': expected epoch milliseconds, or RFC 3339, e.g. 2025-06-01T12:00:00Z",
        "run.csv, line 8: measuredAt is '2025-06-01T12:00:00': expected epoch milliseconds, or RFC 3339, e.g. 2025-06-01T12:00:00Z",
        "run.csv, line 9: measuredAt is '9007199254740993': expected epoch milliseconds, or RFC 3339, e.g. 2025-06-01T12:00:00Z",
        "run.csv, line 10: 2 cells, where the first line names 6 columns",
        "run.csv, line 11: characteristic has 201 characters: expected at most 200",
    ]


def test_csv_when_every_line_is_wrong_then_twenty_are_told_and_the_rest_counted(tmp_path: Path) -> None:
    lines = refusal(written(tmp_path, "\n".join([HEADER, *["a,x,mm,,,0"] * 50]))).splitlines()

    assert len(lines) == 21
    assert lines[-1] == "… and 30 more"


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("run.csv", "", "run.csv, line 1: there is no column 'characteristic'"),
        ("run.csv", HEADER, "run.csv has no measurements"),
        ("run.csv", f"{HEADER},colour\n", "the column 'colour' is not known: expected characteristic, value"),
        ("run.csv", f"{HEADER},unit\n", "a column is named twice"),
        ("run.csv", f'{HEADER}\n"a"b,1,mm,,,0', "line 2: not CSV"),
        ("run.csv", b"\xff\xfe", "run.csv is not UTF-8 text"),
        ("run.txt", "", "expected a file that ends in .csv or .json"),
        ("run.json", "{", "run.json is not JSON"),
        ("run.json", "[" * 100_000, "run.json is not JSON"),
        ("run.json", "5", "expected a list of measurements"),
        ("run.json", "[5]", "run.json, measurement 0: 5 is not an object"),
        ("run.json", '[{"colour": 1}]', "measurement 0: the member 'colour' is not known"),
        ("run.json", '[{"characteristic": "a", "value": true, "unit": "mm", "measuredAt": 0}]', "value is True: expected a finite number"),
        ("run.json", '[{"characteristic": "a", "value": 1e999, "unit": "mm", "measuredAt": 0}]', "value is inf"),
        ("run.json", '[{"characteristic": 1, "value": 1, "unit": "mm", "measuredAt": 0}]', "characteristic is 1: expected text"),
        ("run.json", '[{"characteristic": "a", "value": 1, "unit": "\\u0000", "measuredAt": 0}]', "it holds a control character"),
        ("run.json", '[{"characteristic": "a", "value": 1, "unit": "mm", "measuredAt": []}]', "measuredAt is 'list'"),
    ],
)
def test_file_when_it_holds_no_measurements_then_told_why(tmp_path: Path, name: str, content: str | bytes, reason: str) -> None:
    assert reason in refusal(written(tmp_path, content, name))


def test_file_when_missing_then_told_so(tmp_path: Path) -> None:
    assert refusal(tmp_path / "run.csv") == "run.csv cannot be read: No such file or directory"


def test_file_when_it_is_longer_than_allowed_then_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measurement_files, "MAX_MEASUREMENTS", 2)
    monkeypatch.setattr(measurement_files, "MAX_JSON_BYTES", 3)

    assert "more than 2 measurements" in refusal(written(tmp_path, "\n".join([HEADER, *["a,1,mm,,,0"] * 3])))
    assert "run.json is larger than 3 bytes: write it as CSV" in refusal(written(tmp_path, "[  ]", "run.json"))
