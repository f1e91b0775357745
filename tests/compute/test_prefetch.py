"""Items that are made in a thread while earlier ones are used."""

import contextlib
import threading

import pytest

from taxi_pipeline.compute.prefetch import prefetch

SECONDS = 20


def threads():
    return [thread for thread in threading.enumerate() if thread.name == "prefetch"]


def test_items_come_in_their_order():
    assert list(prefetch(iter(range(100)))) == list(range(100))


def test_nothing_comes_of_nothing():
    assert list(prefetch(iter(()))) == []


def test_the_next_item_is_made_while_the_caller_uses_one():
    second_is_made = threading.Event()

    def items():
        yield 1
        second_is_made.set()
        yield 2

    made = prefetch(items())
    assert next(made) == 1
    assert second_is_made.wait(SECONDS)
    assert list(made) == [2]


def test_no_more_items_are_made_than_may_wait():
    made = []

    def items():
        for number in range(10):
            made.append(number)
            yield number

    with contextlib.closing(prefetch(items(), depth=2)) as iterator:
        assert next(iterator) == 0
        assert len(made) <= 4


def test_what_making_an_item_raises_comes_in_its_place():
    def items():
        yield 1
        raise KeyError("second")

    made = prefetch(items())
    assert next(made) == 1
    with pytest.raises(KeyError, match="second"):
        next(made)
    assert not threads()


@pytest.mark.parametrize("used", [0, 1, 3])
def test_closing_ends_the_thread_and_closes_what_makes_the_items(used):
    is_closed = []

    def items():
        try:
            yield from range(10)
        finally:
            is_closed.append(threading.current_thread().name)

    with contextlib.closing(prefetch(items())) as made:
        assert [next(made) for _ in range(used)] == list(range(used))
    assert not threads()
    assert is_closed == ["prefetch"] * bool(used)


def test_one_step_after_another_each_has_its_thread():
    doubled = prefetch(2 * item for item in prefetch(iter(range(50))))
    assert list(doubled) == list(range(0, 100, 2))
    assert not threads()
