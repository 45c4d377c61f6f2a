"""What two runs of a plan are compared by, byte for byte."""

import json

from scenarios.stories.run import Run


def record(run: Run) -> str:
    """Return all that a plan's run is compared by, as JSON: its end, calls, attempts and what happened from outside."""
    timeline = run.timeline
    return json.dumps(
        {
            "plan": run.scenario.name,
            "ended": [run.status, run.error.get("code"), run.error.get("failedStep"), timeline.length],
            "ledger": run.ledger(),
            "attempts": [
                [each.activity, each.number, each.began, each.ended, each.outcome, each.backoff]
                for each in timeline.attempts
            ],
            "happenings": [[each.at, each.what] for each in timeline.happenings],
        },
        indent=1,
    )
