"""Another retry policy for every activity, without a change of the application: the worker rewrites the commands."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from temporalio.common import RetryPolicy
from temporalio.worker import (
    Interceptor,
    StartActivityInput,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)
from temporalio.workflow import ActivityHandle

IGNORED = ("attempts are within policy",)
"""What the invariants say of a policy that is not the specification's."""


@dataclass(frozen=True)
class Policy:
    """What is changed of each activity's policy; what is None stays as the application has it.

    Attributes:
        attempts: how many in all.
        first_s: the first backoff.
        longest_s: the longest.
    """

    attempts: int | None = None
    first_s: float | None = None
    longest_s: float | None = None

    def __bool__(self) -> bool:
        return self != Policy()

    def __str__(self) -> str:
        words = {"ATTEMPTS": self.attempts, "FIRST": self.first_s, "LONGEST": self.longest_s}
        return " ".join(f"{name}={value:g}" for name, value in words.items() if value is not None)

    def applied(self, policy: RetryPolicy | None) -> RetryPolicy:
        """Return the policy that takes the place of one."""
        given = policy or RetryPolicy()
        first = given.initial_interval if self.first_s is None else timedelta(seconds=self.first_s)
        longest = given.maximum_interval if self.longest_s is None else timedelta(seconds=self.longest_s)
        return RetryPolicy(
            initial_interval=first,
            backoff_coefficient=given.backoff_coefficient,
            maximum_interval=None if longest is None else max(longest, first),
            maximum_attempts=given.maximum_attempts if self.attempts is None else self.attempts,
            non_retryable_error_types=given.non_retryable_error_types,
        )


def rewriting(policy: Policy) -> Interceptor:
    """Return the interceptor of a worker that gives every activity this policy."""

    class Outbound(WorkflowOutboundInterceptor):
        def start_activity(self, input: StartActivityInput) -> ActivityHandle[Any]:  # noqa: A002 - the SDK's name
            input.retry_policy = policy.applied(input.retry_policy)
            return super().start_activity(input)

    class Inbound(WorkflowInboundInterceptor):
        def init(self, outbound: WorkflowOutboundInterceptor) -> None:
            super().init(Outbound(outbound))

    class Rewriting(Interceptor):
        def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[Inbound]:  # noqa: A002, ARG002
            return Inbound

    return Rewriting()


def read_policy(words: Mapping[str, str]) -> Policy:
    """Return the policy that a command's words ask for.

    Raises:
        ValueError: a number is none, or cannot be.
    """
    numbers: dict[str, float] = {}
    for name, least in (("attempts", 1), ("first", 0.001), ("longest", 0.001)):
        text = words.get(name, "")
        if text:
            try:
                numbers[name] = float(text)
            except ValueError:
                raise ValueError(f"{name.upper()}={text} is no number") from None
            if not least <= numbers[name] <= 86_400 or (name == "attempts" and numbers[name] % 1):
                raise ValueError(f"{name.upper()}={text}: a number from {least:g} to 86400 is needed")
    attempts = numbers.get("attempts")
    return Policy(None if attempts is None else int(attempts), numbers.get("first"), numbers.get("longest"))
