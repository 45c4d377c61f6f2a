"""The commands behind `make up`, `make demo`, `make scenarios`: `python -m scenarios up`, `... demo`, `... run`."""

from scenarios.processes.command_line import run_command

COMMANDS = {
    "deploy-check": "scenarios.deploys.command",
    "scenario-from": "scenarios.reproduce.command",
    "atlas": "scenarios.atlas.command",
    "bench": "scenarios.commands.speed",
    "chaos": "scenarios.chaos.command",
    "client": "scenarios.commands.client",
    "console": "scenarios.console.command",
    "contract": "scenarios.contract.command",
    "demo": "scenarios.demo.command",
    "mutants": "scenarios.mutants.command",
    "pictures": "scenarios.console.pictures",
    "explore": "scenarios.commands.explore",
    "play": "scenarios.commands.play",
    "run": "scenarios.commands.run",
    "soak": "scenarios.soak.command",
    "trace": "scenarios.console.trace_command",
    "up": "scenarios.commands.up",
    "test-compose": "scenarios.compose.command",
}

if __name__ == "__main__":
    run_command("python -m scenarios", COMMANDS)
