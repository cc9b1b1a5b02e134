"""Which signals stop a run, and which handlers of the program are left alone."""

import signal

import pytest

from blendgen.cli.interrupt import interruptible
from blendgen.workers.stop_signal import StopSignal

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="the system lacks SIGUSR1")


@pytest.fixture
def handler():
    """Sets a handler of SIGUSR1 for one test."""
    before = {name: signal.getsignal(name) for name in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGXCPU)}
    yield lambda function: signal.signal(signal.SIGUSR1, function)
    for name, old in before.items():
        signal.signal(name, old)


@pytest.mark.parametrize("name", ["SIGUSR1", "SIGUSR2", "SIGXCPU"])
def test_a_notice_stops_the_run_once_and_the_signal_after_it_stops_at_once(name):
    """The system repeats SIGXCPU every second."""
    with StopSignal() as stop:
        for _ in range(3):
            signal.raise_signal(signal.Signals[name])
        assert (stop.signum, stop.count) == (signal.Signals[name], 1)
        signal.raise_signal(signal.SIGTERM)
        assert (stop.signum, stop.count) == (signal.Signals[name], 2)


def test_a_handler_that_the_program_has_for_a_notice_stays(handler):
    """submitit submits the job again in its handler."""
    received = []
    handler(lambda *_: received.append("mine"))
    with StopSignal() as stop:
        signal.raise_signal(signal.SIGUSR1)
    assert (stop.count, received) == (0, ["mine"])


def test_a_notice_that_is_ignored_stays_ignored(handler):
    handler(signal.SIG_IGN)
    with StopSignal() as stop:
        signal.raise_signal(signal.SIGUSR1)
    assert stop.count == 0


def test_the_handlers_of_the_command_line_give_way_to_those_of_a_run(handler):
    handler(signal.SIG_DFL)
    with interruptible() as interrupt:
        with StopSignal() as stop:
            signal.raise_signal(signal.SIGUSR1)
        assert (stop.count, interrupt.signum) == (1, None)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGUSR1)
    assert signal.getsignal(signal.SIGUSR1) is signal.SIG_IGN
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
