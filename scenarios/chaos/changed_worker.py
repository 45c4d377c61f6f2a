"""`python -m scenarios.chaos.changed_worker`: the production worker, with its workflow in another order."""

import sys

import uvloop

from app.worker import main
from scenarios.chaos.changed_workflow import ChangedWorkflow  # of its own: a sandbox cannot import __main__

if __name__ == "__main__":
    sys.exit(uvloop.run(main(ChangedWorkflow)))
