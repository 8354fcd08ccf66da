"""Names, ranges and contradictions of gait parameters, and how they change over time."""

import math

import numpy as np
import pytest

from whole_body_tracking.gait.planning.parameters import PARAMETERS, GaitParameters, ParameterSchedule

pytestmark = pytest.mark.unit


def test_two_of_speed_cadence_and_stride_are_enough():
    assert GaitParameters.of({"speed": 0.6, "cadence": 100}).stride_length == pytest.approx(0.72)  # 0.6 * 120 / 100
    assert GaitParameters.of({"stride_length": 0.72, "cadence": 100})["speed"] == pytest.approx(0.6)
    assert GaitParameters.of({"stride_length": 0.72, "speed": 0.6})["cadence"] == pytest.approx(100.0)
    assert GaitParameters.of({"stride_length": 0.72, "speed": 0.6, "cadence": 100})["speed"] == 0.6


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"speed": 0.6, "cadence": 100, "stride_length": 0.9}, r"contradict each other.*would be 0\.75 m/s"),
        ({"speed": 3.0}, r"speed is 3 m/s, allowed are -0\.3 to 0\.9"),
        ({"cadence": 20}, r"cadence is 20 steps/min, allowed are 70 to 140"),
        ({"clearance": math.nan}, r"clearance is nan, expected a finite number"),
        ({"speed": math.inf}, r"speed is inf"),
        ({"sped": 0.5}, r"Unknown gait parameter: 'sped'.*Did you mean 'speed'"),
        ({"speed": 0.9, "cadence": 80}, r"stride of 1\.35 m.*reach 1\.1 m. Raise the cadence to 99"),
        ({"speed": 0.0, "stride_length": 0.5}, r"not zero"),
    ],
)
def test_bad_parameters_are_refused_with_what_is_allowed(given, message):
    with pytest.raises(ValueError, match=message):
        GaitParameters.of(given)


def test_every_parameter_that_is_named_in_an_error_has_a_range():
    for name, item in PARAMETERS.items():
        with pytest.raises(ValueError, match=rf"{name} is .*allowed are {item.low:g} to {item.high:g}"):
            GaitParameters.of({name: item.high + 1.0})


def test_schedule_is_read_and_smooth(tmp_path):
    path = tmp_path / "speeds.csv"
    path.write_text("time,speed\n2,0.2\n4,0.6\n")
    schedule = ParameterSchedule.read_csv(path, {"cadence": 110})
    time = np.arange(0.0, 6.0, 0.01)
    table = schedule.table(time)
    assert table["cadence"] == pytest.approx(110.0)
    assert table["speed"][0] == pytest.approx(0.2) and table["speed"][-1] == pytest.approx(0.6)
    assert table["speed"][300] == pytest.approx(0.4, abs=1e-6)  # half-way at 3 s
    assert np.abs(np.diff(table["speed"], n=2)).max() / 0.01**2 < 0.3  # a corner would be 0.2 / 0.01 = 20


def test_a_schedule_of_a_spreadsheet_is_read_and_one_in_another_encoding_refused(tmp_path):
    path = tmp_path / "speeds.csv"
    path.write_bytes(b"\xef\xbb\xbftime,speed\r\n0,0.2\r\n")  # byte-order mark, Windows' line ends
    assert ParameterSchedule.read_csv(path).points[0]["speed"] == 0.2
    path.write_bytes("time,speed\n0,0.2\n".encode("utf-16"))
    with pytest.raises(ValueError, match=r"speeds\.csv is no UTF-8 text"):
        ParameterSchedule.read_csv(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("time,sped\n0,1\n", "Unknown column of speeds.csv: 'sped'"),
        ("speed\n1\n", "expected a header with the column time"),
        ("time,speed\n0,0.2\n0,0.4\n", "Times of a schedule increase"),
        ("time,speed\n0,fast\n", "line 2: could not convert"),
        ("time,speed\n0,0.2\n1,4\n", "line 3: speed is 4 m/s"),
        ("time,speed\n0,nan\n", "line 2: speed is nan"),
        ("time,speed\nnan,0.4\n", "times are finite numbers"),
        ("time,speed\n0,0.4,5\n", "line 2: 3 cells, and the header has 2"),
        ("time,cadence\n0,100\n", "cadence is given twice"),
        ("", "expected a header"),
    ],
)
def test_bad_schedules_are_refused(tmp_path, text, message):
    path = tmp_path / "speeds.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        ParameterSchedule.read_csv(path, {"cadence": 110})
