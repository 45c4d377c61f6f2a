"""One tree of errors. The code, whether it is retried, the steps it can fail and its HTTP status live with the class.

docs/errors.md has them as a table. Messages name no address and no secret: clients see them.
"""

from app.errors import request, services, temporal  # with any of the tree, all of it is there
from app.errors.base import PipelineError, error_classes

__all__ = ["PipelineError", "error_classes", "request", "services", "temporal"]
