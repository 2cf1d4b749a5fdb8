"""The short form of `test/fault/kill`, which runs as long as one likes."""

import kill
import pytest

ROUNDS = 30


@pytest.mark.parametrize("seed", [1])
def test_killed_at_random_nothing_is_lost_or_said_twice(seed):
    killer = kill.run(ROUNDS, seed, say=print)
    assert len(killer.strikes) >= 2 * ROUNDS
    assert killer.records.sent > ROUNDS and killer.objects.read > ROUNDS
