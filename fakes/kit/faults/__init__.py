"""The kinds of faults of the kit. Another one is a class in any module that is imported (base.py)."""

from . import connection, contract, hosts, http, jobs, waiting  # noqa: F401 - imported for what they register
from .base import AnswerFault, CallFault, Fault, Part, kinds

__all__ = ["AnswerFault", "CallFault", "Fault", "Part", "kinds"]
