"""The kinds of faults of the kit. Another one is a class in any module that is imported (base.py)."""

from . import connection, contract, http, jobs, waiting
from .base import AnswerFault, CallFault, Fault, Part, kinds

__all__ = ["AnswerFault", "CallFault", "Fault", "Part", "connection", "contract", "http", "jobs", "kinds", "waiting"]
