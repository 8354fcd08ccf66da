"""Messages are Unitree's, byte for byte."""

import importlib.util
import sys
import types

import numpy as np
import pytest

from whole_body_tracking.deploy.protocol.checksum import checksum, is_sealed, seal
from whole_body_tracking.deploy.protocol.encoding import decode, encode
from whole_body_tracking.deploy.protocol.layout import LOW_COMMAND, LOW_STATE, NUM_SLOTS, new_message

pytestmark = pytest.mark.unit


def sample(dtype: np.dtype, seed: int = 0) -> np.ndarray:
    """A sealed message with something different in every field."""
    rng, message = np.random.default_rng(seed), new_message(dtype)
    _fill(message, rng)
    return seal(message)


def _fill(message: np.ndarray, rng: np.random.Generator) -> None:
    for name in message.dtype.names:
        field = message[name]
        if field.dtype.names:
            for part in field.reshape(-1) if field.ndim else [field]:
                _fill(part, rng)
        elif field.dtype.kind == "f":
            message[name] = rng.normal(size=field.shape)
        else:
            message[name] = rng.integers(0, np.iinfo(field.dtype).max, field.shape)


@pytest.fixture(scope="module")
def unitree():
    """Unitree's package; its own start-up file imports a module that its wheel lacks, so it is left out."""
    pytest.importorskip("cyclonedds")
    found = importlib.util.find_spec("unitree_sdk2py")
    if found is None:
        pytest.skip("unitree_sdk2 is not installed")
    before = sys.modules.get("unitree_sdk2py")
    package = sys.modules["unitree_sdk2py"] = types.ModuleType("unitree_sdk2py")
    package.__path__ = list(found.submodule_search_locations)
    yield {
        "messages": importlib.import_module("unitree_sdk2py.idl.unitree_hg.msg.dds_"),
        "crc": importlib.import_module("unitree_sdk2py.utils.crc"),
    }
    sys.modules.pop("unitree_sdk2py")
    if before is not None:
        sys.modules["unitree_sdk2py"] = before


def theirs(kind, message: np.ndarray, parts: dict):
    """The same message as an object of Unitree's package."""

    def value(name, field):
        if name in parts:
            cells = [theirs(parts[name], cell, parts) for cell in (field if field.ndim else [field])]
            return cells if field.ndim else cells[0]
        return field.tolist()

    return kind(**{name: value(name, message[name]) for name in message.dtype.names})


def unitree_command(unitree, message):
    kinds = unitree["messages"]
    return theirs(kinds.LowCmd_, message, {"motor_cmd": kinds.MotorCmd_})


def unitree_state(unitree, message):
    kinds = unitree["messages"]
    return theirs(kinds.LowState_, message, {"motor_state": kinds.MotorState_, "imu_state": kinds.IMUState_})


def test_sizes_are_those_of_unitrees_structs():
    """2 + 2 padding + 35 * 28 + 16 + 4 bytes; 8 + 4 + 4 + 56 + 35 * 56 + 40 + 16 + 4 bytes."""
    assert (LOW_COMMAND.itemsize, LOW_STATE.itemsize) == (1004, 2092)


@pytest.mark.parametrize("dtype", [LOW_COMMAND, LOW_STATE])
def test_decoding_undoes_encoding(dtype):
    message = sample(dtype)
    again = decode(encode(message), dtype)
    assert again == message and is_sealed(again)


def test_encoding_is_unitrees(unitree):
    for dtype, convert in ((LOW_COMMAND, unitree_command), (LOW_STATE, unitree_state)):
        message = sample(dtype)
        assert convert(unitree, message).serialize() == encode(message)


def test_unitree_decodes_what_is_encoded_here(unitree):
    message = sample(LOW_STATE)
    found = unitree["messages"].LowState_.deserialize(encode(message))
    assert (
        found.tick == message["tick"] and found.motor_state[34].reserve[3] == message["motor_state"]["reserve"][34, 3]
    )
    assert found.imu_state.quaternion == pytest.approx(message["imu_state"]["quaternion"].tolist())


def test_checksum_is_unitrees(unitree):
    """Their plain Python loop over the packed struct; their library is missing from the wheel."""
    calculator = object.__new__(unitree["crc"].CRC)
    for dtype in (LOW_COMMAND, LOW_STATE):
        message = sample(dtype)
        words = np.frombuffer(message.tobytes()[:-4], "<u4").tolist()
        assert calculator._crc_py(words) == checksum(message)


def test_checksum_of_one_word():
    """CRC-32/MPEG-2 of 00 00 00 01: the polynomial's remainder, from the check value that tables publish."""
    value = 0xFFFFFFFF
    for bit in range(31, -1, -1):
        top = (value >> 31) ^ ((1 >> bit) & 1)
        value = ((value << 1) & 0xFFFFFFFF) ^ (0x04C11DB7 if top else 0)
    message = np.array((1, 0), np.dtype([("word", "<u4"), ("crc", "<u4")]))
    assert checksum(message) == value


@pytest.mark.parametrize("dtype", [LOW_COMMAND, LOW_STATE])
def test_any_flipped_bit_breaks_the_seal(dtype):
    data = encode(sample(dtype))
    rng = np.random.default_rng(1)
    for place in rng.integers(4, len(data), 200):
        changed = bytearray(data)
        changed[place] ^= 1 << int(rng.integers(8))
        message = decode(bytes(changed), dtype)
        # A byte of padding is no part of the message: numpy drops it, as C code does.
        assert not is_sealed(message) or encode(message) == data or message == decode(data, dtype)


@pytest.mark.parametrize("dtype", [LOW_COMMAND, LOW_STATE])
def test_truncated_messages_are_refused(dtype):
    data = encode(sample(dtype))
    for length in (0, 1, 3, 4, 100, len(data) - 1, len(data) + 1):
        with pytest.raises(ValueError, match=f"Expected {len(data)} bytes"):
            decode((data + b"\0")[:length], dtype)


def test_slots():
    assert NUM_SLOTS == 35 and new_message(LOW_STATE)["motor_state"].shape == (35,)
