"""Plans as a Hypothesis strategy, for tests of one's own: `@given(plan=plans())`."""

from hypothesis import strategies as st

from scenarios.explore.tryon.drawn import drawn
from scenarios.plans import Plan


def plans() -> st.SearchStrategy[Plan]:
    """Return a strategy for plans of several faults and acts that the model can tell, each with some of the kinds."""
    return st.randoms(use_true_random=False).map(drawn)
