"""The headers by which a simulated caller and a fake tell each other about time: written once, for engine and kit.

It imports nothing, since every fake imports it.
"""

WORKFLOW_ID = "X-Workflow-Id"
"""Request: the key, by which rules, counts, ledger and chance go."""
ATTEMPT = "X-Activity-Attempt"
"""Request: the attempt of the activity, for the ledger."""
TIME = "X-Sim-Time"
"""Request: the caller's time in Unix seconds. With it the call is virtual, and the fake never waits."""
ELAPSED = "X-Sim-Elapsed"
"""Answer to a virtual call: what it took in seconds; `inf` for an answer that never comes."""
LONGEST_PAUSE = "X-Sim-Longest-Pause"
"""Answer to a virtual call: the longest silence within it in seconds, which a read timeout counts."""
FAULT = "X-Sim-Fault"
"""Answer to a virtual call: `refuse`, nobody would have listened; `dns`, the name would not have been found;
`unreachable`, nothing would have come back, and connecting would have gone on for as long as the caller lets it."""
REFUSE = "refuse"
DNS = "dns"
UNREACHABLE = "unreachable"
