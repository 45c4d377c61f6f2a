"""What is left of a reproduction: the plan, and a test that is red or green as the try-on was."""

from pathlib import Path

from scenarios.plans import Plan
from scenarios.plans.text import written
from scenarios.reproduce.facts import Facts
from scenarios.reproduce.inference import Inferred

TEST = '''"""{title}

The way that it went:
{way}
"""

from pathlib import Path

from scenarios.plans import read_plan, scenario_of
from scenarios.scenario import Expect


def test_{name}(run_scenario):
    plan = read_plan(Path(__file__).with_name("plan.json"))
    run_scenario(scenario_of(plan, Expect(status={status!r})))
'''


def write(folder: Path, plan: Plan, facts: Facts) -> tuple[Path, Path]:
    """Write plan and test into a folder; return their paths.

    The test wants what the user wanted: pictures, or that it ends when he says so. It is red when production was.
    """
    folder.mkdir(parents=True, exist_ok=True)
    plan_file, name = folder / "plan.json", plan.name.replace("-", "_")
    test_file = folder / f"test_{name}.py"
    plan_file.write_text(written(plan), encoding="utf-8")
    title = f"A try-on of production: {facts.way()[-1]}."
    way = "\n".join(f"    {line}" for line in facts.way())
    wanted = "CANCELLED" if facts.status == "CANCELLED" else "COMPLETED"
    test_file.write_text(TEST.format(title=title, way=way, name=name, status=wanted), encoding="utf-8")
    return plan_file, test_file


def told(inferred: Inferred) -> list[str]:
    """Return in lines what was inferred, and where more than one kind of fault fits, how to decide."""
    lines = []
    for activity, guesses in inferred.guesses.items():
        if len(guesses) == 1:
            lines.append(f"{activity}: {guesses[0].words}")
            continue
        lines.append(f"{activity}: ambiguous, {len(guesses)} kinds of fault fit; the likeliest is taken:")
        lines += [f"  {'►' if place == 0 else ' '} {guess.words}" for place, guess in enumerate(guesses)]
        services = dict.fromkeys(rule.service for guess in guesses for rule in guess.rules)
        calls = dict.fromkeys(f"{rule.operation} call {rule.calls}" for guess in guesses for rule in guess.rules)
        lines.append(f"  the log of {' and '.join(services)} decides: what became of {', '.join(calls)}?")
    lines += [f"nothing explains {missing}" for missing in inferred.missing]
    return lines
