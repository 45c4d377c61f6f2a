"""The limits of whole runs: start delay, run and execution timeout, a workflow's own retries, of children too."""

from datetime import timedelta

from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError, TimeoutError as TimedOutError

from tests.virtual.session import Session
from tests.virtual.workflows import Approval, Fails, ParentOf, TimerBeside


def test_a_start_delay(session: Session) -> None:
    result, story = session.run(TimerBeside.run, "in time", start_delay=timedelta(hours=1))
    assert result == ["slept", 20]
    assert story.now == 3620
    assert [each.began for each in story.attempts()] == [3600]


def test_a_run_timeout(session: Session) -> None:
    error, story = session.run(Approval.run, None, run_timeout=timedelta(minutes=5))
    assert isinstance(error, TimedOutError)
    assert error.type is not None
    assert (error.type.name, str(error)) == ("START_TO_CLOSE", "Workflow timed out")
    assert story.now == 300


def test_a_workflows_own_retries(session: Session) -> None:
    policy = RetryPolicy(initial_interval=timedelta(seconds=10), maximum_attempts=4)
    result, story = session.run(Fails.run, 2, 3.0, retry_policy=policy)
    assert result == [3, "Nope: run 2", 23]  # the run was made when the second failed, and began after 20 s
    assert story.now == 3 + 10 + 3 + 20 + 3
    error, story = session.run(Fails.run, 9, 3.0, retry_policy=policy)
    assert isinstance(error, ApplicationError)
    assert (error.message, story.now) == ("run 4", 82)


def test_an_execution_timeout_ends_the_retries(session: Session) -> None:
    policy = RetryPolicy(initial_interval=timedelta(seconds=10))
    limit = timedelta(seconds=30)
    error, story = session.run(Fails.run, 9, 3.0, retry_policy=policy, execution_timeout=limit)
    assert isinstance(error, ApplicationError)
    assert (error.message, story.now) == ("run 2", 16)  # the third would begin at 36
    error, story = session.run(Fails.run, 9, 40.0, retry_policy=policy, execution_timeout=limit)
    assert isinstance(error, TimedOutError)
    assert story.now == 30


def test_limits_of_children(session: Session) -> None:
    told, _ = session.run(ParentOf.run, "Approval", [None], {"run_timeout": 60})
    message, cause = "Child Workflow execution timed out", "Workflow timed out"
    assert told == [["TimeoutError", "START_TO_CLOSE", "TIMEOUT", message, cause, []], 60]
    told, _ = session.run(ParentOf.run, "Fails", [1, 3.0], {"attempts": 2})
    assert told == [[2, "Nope: run 1", 4], 7]
    told, _ = session.run(ParentOf.run, "Fails", [2, 3.0], {"attempts": 2})
    message = "Child Workflow execution failed"
    assert told == [["ApplicationError", "Nope", "MAXIMUM_ATTEMPTS_REACHED", message, "Nope: run 2", []], 7]
