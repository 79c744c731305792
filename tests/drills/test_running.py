"""What a drill measures, and what it says when something does not happen."""

import pytest
from drills.drill import Drill, Fault

MAIL, CHANNEL = "ops@sergas.example", "#warnings"


@pytest.fixture
def fault(place):
    """A fault that raises `Slow` in a room, told to whom the test says, and what ends it."""

    def make(*told, ends=True, fires=True):
        def begin(_):
            if fires:
                place.fire("Slow", "room")
            place.tell("Slow", "room", "firing", *told)

        def end(_):
            if ends:
                place.quiet()
                place.tell("Slow", "room", "resolved", *told)
            else:
                place.tell("Mended", "room", "firing", MAIL)

        return Drill("Slow", "warning", "room", Fault("it is slow", begin, end))

    return make


def test_a_drill_measures_firing_delivery_and_end(fault, outcome):
    found = outcome(fault(CHANNEL, MAIL))
    assert found.error == ""
    assert 0 <= found.fired <= found.delivered < 1
    assert 0 <= found.quiet <= found.resolved < 1
    assert found.receivers == [CHANNEL, MAIL]
    assert found.levels == ["warning"]


def test_a_receiver_that_should_not_have_heard_is_among_those_told(fault, outcome):
    assert outcome(fault(CHANNEL, MAIL, "#critical")).receivers == ["#critical", CHANNEL, MAIL]


def test_a_receiver_that_heard_nothing_is_named(fault, outcome):
    found = outcome(fault(CHANNEL))
    assert "firing Slow is not yet at ops@sergas.example" in found.error
    assert found.fired is not None
    assert found.delivered is None


def test_an_alert_that_does_not_fire_is_told_with_those_that_do_and_the_fault_is_ended(fault, outcome, place):
    place.fire("Other", "elsewhere")
    found = outcome(fault(CHANNEL, MAIL, fires=False, ends=False))
    assert "Slow/room/warning does not fire; firing: elsewhere: Other" in found.error
    assert [row for row in place.rows if row["alerts"] == ["Mended"]]


def test_an_alert_that_does_not_end_is_told(fault, outcome):
    assert "Slow/room/warning still fires" in outcome(fault(CHANNEL, MAIL, ends=False)).error


def test_a_pending_alert_and_one_of_another_namespace_do_not_count(fault, outcome, place):
    place.fire("Slow", "room", state="pending")
    place.fire("Slow", "another room")
    assert "does not fire" in outcome(fault(CHANNEL, MAIL, fires=False)).error


def test_a_message_about_another_namespace_does_not_count(place, outcome):
    def begin(_):
        place.fire("Slow", "room")
        place.tell("Slow", "elsewhere", "firing", CHANNEL, MAIL)

    found = outcome(Drill("Slow", "warning", "room", Fault("it is slow", begin, lambda _: place.quiet())))
    assert "is not yet at" in found.error
    assert found.receivers == []


def test_what_was_told_before_anyone_looked_counts_for_a_fault_that_was_there_alone(place, outcome):
    place.fire("Always", "")
    place.tell("Always", "", "firing", MAIL, CHANNEL)
    place.tell("Slow", "room", "firing", "#critical")
    found = outcome(Drill("Always", "warning", "", Fault("always", lambda _: None, None)))
    assert (found.error, found.receivers) == ("", [CHANNEL, MAIL])
    place.quiet()

    def begin(_):
        place.fire("Slow", "room")
        place.tell("Slow", "room", "firing", CHANNEL, MAIL)

    def end(_):
        place.quiet()
        place.tell("Slow", "room", "resolved", CHANNEL, MAIL)

    found = outcome(Drill("Slow", "warning", "room", Fault("it is slow", begin, end)))
    assert (found.error, found.receivers) == ("", [CHANNEL, MAIL])


def test_a_fault_that_cannot_be_ended_is_followed_to_its_receivers_alone(place, outcome):
    place.fire("Slow", "room")
    place.tell("Slow", "room", "firing", CHANNEL, MAIL)
    found = outcome(Drill("Slow", "warning", "room", Fault("always", lambda _: None, None)))
    assert (found.error, found.quiet, found.receivers) == ("", None, [CHANNEL, MAIL])
