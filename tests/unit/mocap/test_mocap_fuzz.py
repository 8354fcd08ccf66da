"""Damaged files: each is read or refused with a sentence, never anything else."""

import random
import warnings

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mocap_samples import walking_person
from test_read_amc import AMC, ASF

from whole_body_tracking.mocap import read_mocap, write_bvh
from whole_body_tracking.mocap.correspondence import TABLE_DIR, read_table

pytestmark = pytest.mark.unit

QUIET = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def damaged(content: bytes, seed: int) -> bytes:
    """Cut, delete, repeat, swap or overwrite lines, words or bytes, a few times."""
    rng, lines = random.Random(seed), content.split(b"\n")
    for _ in range(rng.randint(1, 3)):
        kind, place = rng.randrange(7), rng.randrange(max(len(lines), 1))
        if kind == 0:
            lines = lines[: max(place, 1)]
        elif kind == 1:
            del lines[place : place + rng.randint(1, 3)]
        elif kind == 2:
            lines[place:place] = lines[place : place + rng.randint(1, 3)]
        elif lines and kind < 6:
            place = min(place, len(lines) - 1)
            words = lines[place].split()
            token = rng.choice(
                [b"nan", b"1e400", b"-1", b"", b"}", b"{", b"\xff\xfe", b"\x00", b"JOINT", b"0", b"9" * 30]
            )
            if words:
                words[rng.randrange(len(words))] = token
            lines[place] = b" ".join(words)
        else:
            whole = bytearray(b"\n".join(lines))
            if whole:
                whole[rng.randrange(len(whole))] = rng.randrange(256)
            lines = bytes(whole).split(b"\n")
    return b"\n".join(lines)


def read_or_refuse(read, *arguments, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            read(*arguments, **options)
        except (ValueError, FileNotFoundError) as error:
            assert len(str(error)) > 15, error


@QUIET
@given(seed=st.integers(0, 2**32))
def test_bvh(tmp_path, seed):
    path = tmp_path / "walk.bvh"
    if not path.exists():
        write_bvh(walking_person(0.1), path)
    bad = tmp_path / "bad.bvh"
    bad.write_bytes(damaged(path.read_bytes(), seed))
    read_or_refuse(read_mocap, bad)


@QUIET
@given(seed=st.integers(0, 2**32), which=st.booleans())
def test_asf_amc(tmp_path, seed, which):
    asf, amc = ASF.encode(), AMC.encode()
    (tmp_path / "7.asf").write_bytes(damaged(asf, seed) if which else asf)
    (tmp_path / "7_01.amc").write_bytes(amc if which else damaged(amc, seed))
    read_or_refuse(read_mocap, tmp_path / "7_01.amc")


@QUIET
@given(seed=st.integers(0, 2**32))
def test_table(tmp_path, seed):
    path = tmp_path / "table.yaml"
    path.write_bytes(damaged((TABLE_DIR / "lafan1.yaml").read_bytes(), seed))
    read_or_refuse(read_table, path)
