"""The topics' types as DDS knows them. Imports cyclonedds: use :mod:`.dds`, which imports this when it is needed.

The structs declare Unitree's types, so that other participants recognize them; what is sent and received are the bytes
of :mod:`.encoding`, because field-by-field encoding in Python takes longer than a message's period.
"""

from dataclasses import dataclass

from cyclonedds.idl import IdlStruct
from cyclonedds.idl.annotations import autoid, final
from cyclonedds.idl.types import array, float32, int16, uint8, uint32

from .layout import NUM_SLOTS


def _sent_as_bytes(struct: type[IdlStruct]) -> type[IdlStruct]:
    """Let instances of a struct be its encoding, in ``data``."""

    def initialize(self, data: bytes):
        self.data = data

    def serialize(self, buffer=None, endianness=None, use_version_2=None) -> bytes:
        return self.data

    def deserialize(cls, data: bytes, has_header: bool = True, use_version_2=None):
        return cls(bytes(data))

    struct.__init__, struct.serialize = initialize, serialize
    # What is left of a writer that has gone comes as a key, which these types have none of.
    struct.deserialize = struct.deserialize_key = classmethod(deserialize)
    return struct


@dataclass
@final
@autoid("sequential")
class MotorCommand(IdlStruct, typename="unitree_hg.msg.dds_.MotorCmd_"):
    mode: uint8
    q: float32
    dq: float32
    tau: float32
    kp: float32
    kd: float32
    reserve: uint32


@_sent_as_bytes
@dataclass
@final
@autoid("sequential")
class LowCommand(IdlStruct, typename="unitree_hg.msg.dds_.LowCmd_"):
    """Type of ``rt/lowcmd``."""

    mode_pr: uint8
    mode_machine: uint8
    motor_cmd: array[MotorCommand, NUM_SLOTS]
    reserve: array[uint32, 4]
    crc: uint32


@dataclass
@final
@autoid("sequential")
class ImuState(IdlStruct, typename="unitree_hg.msg.dds_.IMUState_"):
    quaternion: array[float32, 4]
    gyroscope: array[float32, 3]
    accelerometer: array[float32, 3]
    rpy: array[float32, 3]
    temperature: int16


@dataclass
@final
@autoid("sequential")
class MotorState(IdlStruct, typename="unitree_hg.msg.dds_.MotorState_"):
    mode: uint8
    q: float32
    dq: float32
    ddq: float32
    tau_est: float32
    temperature: array[int16, 2]
    vol: float32
    sensor: array[uint32, 2]
    motorstate: uint32
    reserve: array[uint32, 4]


@_sent_as_bytes
@dataclass
@final
@autoid("sequential")
class LowState(IdlStruct, typename="unitree_hg.msg.dds_.LowState_"):
    """Type of ``rt/lowstate``."""

    version: array[uint32, 2]
    mode_pr: uint8
    mode_machine: uint8
    tick: uint32
    imu_state: ImuState
    motor_state: array[MotorState, NUM_SLOTS]
    wireless_remote: array[uint8, 40]
    reserve: array[uint32, 4]
    crc: uint32
